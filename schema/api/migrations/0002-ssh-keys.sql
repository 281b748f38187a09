-- Customers' public SSH keys, for instances made later. Keys that could do everything still can.
CREATE TABLE ssh_keys (
    ssh_key_id  TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES customers (account_id),
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,
    bits        INTEGER NOT NULL,
    line        TEXT NOT NULL,                      -- as it goes into authorized_keys
    fingerprint TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    UNIQUE (account_id, name)
) STRICT, WITHOUT ROWID;
UPDATE keys SET scopes = 8191 WHERE scopes = 127;
