-- Store full names
-- migrator: revises = 20261122101000

ALTER TABLE users RENAME COLUMN name TO full_name;
