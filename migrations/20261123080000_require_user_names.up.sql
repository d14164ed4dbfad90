-- Require user names
-- migrator: revises = 20261122101000

-- SQLite can't add a constraint to a table that is there, so the table is made
-- anew. Foreign keys are off while this runs, or dropping the old table would
-- delete every post; they are verified before the commit.
CREATE TABLE users_new (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL CHECK (name <> ''),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO users_new (id, email, name, created_at)
SELECT id, email, coalesce(nullif(name, ''), email), created_at FROM users;

DROP TABLE users;
PRAGMA legacy_alter_table = ON;
ALTER TABLE users_new RENAME TO users;
PRAGMA legacy_alter_table = OFF;
