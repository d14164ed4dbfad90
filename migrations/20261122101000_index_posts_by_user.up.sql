-- Index posts by user
-- migrator: revises = 20261122094500

CREATE INDEX posts_user_id_published_at ON posts (user_id, published_at);
