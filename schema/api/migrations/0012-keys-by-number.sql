-- Keys are listed in pages, the newest first: each has a number among its account's.
ALTER TABLE keys ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE keys SET number = n FROM (SELECT key_id AS id, row_number() OVER (PARTITION BY account_id ORDER BY created_ms, key_id) AS n
    FROM keys) WHERE key_id = id;
DROP INDEX keys_by_account;
CREATE UNIQUE INDEX keys_by_account ON keys (account_id, number);
CREATE INDEX keys_by_project ON keys (project_id, number) WHERE project_id <> '';
