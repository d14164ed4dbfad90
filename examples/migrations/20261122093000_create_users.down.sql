-- Revert: Create users

DROP TABLE users;
