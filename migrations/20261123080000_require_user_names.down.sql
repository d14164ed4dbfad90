-- Revert: Require user names

-- Names that were missing before stay filled in.
CREATE TABLE users_old (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO users_old (id, email, name, created_at)
SELECT id, email, name, created_at FROM users;

DROP TABLE users;
PRAGMA legacy_alter_table = ON;
ALTER TABLE users_old RENAME TO users;
PRAGMA legacy_alter_table = OFF;
