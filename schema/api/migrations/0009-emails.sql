-- When its owner opened a link that only this mailbox was sent; 0 never.
ALTER TABLE users ADD COLUMN email_verified_ms INTEGER NOT NULL DEFAULT 0;
-- Links that show whose a mailbox is, and open nothing; hash is SHA-256 of what is behind the path's #.
CREATE TABLE email_links (
    hash       BLOB NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL UNIQUE REFERENCES users (user_id) ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
