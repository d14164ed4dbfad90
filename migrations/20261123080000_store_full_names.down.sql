-- Revert: Store full names

ALTER TABLE users RENAME COLUMN full_name TO name;
