-- Revert: Index posts by user

DROP INDEX posts_user_id_published_at;
