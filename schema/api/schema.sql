-- api.db: who may ask, and what was asked. Written by api alone.
-- Times are Unix milliseconds, given by the program; ids are made by the program.
-- The migrations beside this file lead from an empty database to this shape.

-- One row a customer; accountd keeps the money under the same id.
CREATE TABLE customers (
    account_id TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    currency   TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    confirmed  INTEGER NOT NULL DEFAULT 0           -- accountd has opened the account
) STRICT, WITHOUT ROWID;

-- Customers' keys. hash is SHA-256 of the key: 200 random bits need no slow hash.
CREATE TABLE keys (
    key_id     TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id),
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    scopes     INTEGER NOT NULL,                    -- bits of enum scope
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL DEFAULT 0,          -- 0 never
    revoked_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_account ON keys (account_id, created_ms);

-- Operators' keys: another table, so that no flag turns a customer into an operator.
CREATE TABLE operator_keys (
    key_id     TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL DEFAULT 0,
    revoked_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Whose an instance is, and what was asked for. Its state lives with the provisioner.
CREATE TABLE instances (
    instance_id TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES customers (account_id),
    name        TEXT NOT NULL,
    image       TEXT NOT NULL,
    flavor      TEXT NOT NULL,
    vcpus       INTEGER NOT NULL,
    memory_mib  INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    gone_ms     INTEGER NOT NULL DEFAULT 0,         -- seen deleted
    confirmed   INTEGER NOT NULL DEFAULT 0          -- the provisioner has its job
) STRICT, WITHOUT ROWID;
CREATE INDEX instances_by_account ON instances (account_id, created_ms);

-- Whose an action is. action_id is the provisioner's job_id.
CREATE TABLE actions (
    action_id   TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES customers (account_id),
    instance_id TEXT NOT NULL REFERENCES instances (instance_id),
    type        TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    confirmed   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX actions_by_instance ON actions (instance_id, type, created_ms);

-- Customers' public SSH keys, for instances made later.
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

-- Requests by their Idempotency-Key. The row commits together with the rows of
-- its effect; subject_id and job_id are what the other daemons are asked with.
CREATE TABLE idempotency (
    owner        TEXT NOT NULL,                     -- account, or operator key
    key          TEXT NOT NULL,
    request_hash BLOB NOT NULL,                     -- SHA-256 of method, path, canonical body
    subject_id   TEXT NOT NULL,
    job_id       TEXT NOT NULL,
    run_id       TEXT NOT NULL,                     -- the process that works on it; '' nobody
    status       INTEGER NOT NULL DEFAULT 0,        -- 0 until answered
    body         TEXT,
    location     TEXT NOT NULL DEFAULT '',
    created_ms   INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_ms);
