CREATE TABLE posts (id integer PRIMARY KEY, author integer NOT NULL REFERENCES users);
