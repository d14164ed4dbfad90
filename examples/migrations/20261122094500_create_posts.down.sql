-- Revert: Create posts

DROP TABLE posts;
