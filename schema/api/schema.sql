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

-- What happened, in order: customers follow their own, operators all. The triggers below write what this database
-- learns by itself, in the transaction of its effect; api/watcher.c what the other daemons tell. Kept 30 days.
CREATE TABLE events (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice: who follows goes on after it
    account_id TEXT,                                -- NULL: the host's own, for operators
    at_ms      INTEGER NOT NULL,
    type       TEXT NOT NULL,                       -- "instance.running"
    object     TEXT NOT NULL,                       -- the id of what it is about
    scope      INTEGER NOT NULL,                    -- bits of enum scope that a customer's key needs to see it
    data       TEXT NOT NULL                        -- a JSON object
) STRICT;
CREATE INDEX events_by_account ON events (account_id, seq);
CREATE INDEX events_by_age ON events (at_ms);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'what happened is never changed'); END;
CREATE TRIGGER customers_event AFTER UPDATE OF confirmed ON customers WHEN NEW.confirmed AND NOT OLD.confirmed
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NEW.account_id, NEW.created_ms, 'account.created', NEW.account_id, 1,
                json_object('name', NEW.name, 'currency', NEW.currency)); END;
CREATE TRIGGER keys_event_created AFTER INSERT ON keys
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NEW.account_id, NEW.created_ms, 'key.created', NEW.key_id, 32, json_object('name', NEW.name)); END;
CREATE TRIGGER keys_event_revoked AFTER UPDATE OF revoked_ms ON keys WHEN NEW.revoked_ms AND NOT OLD.revoked_ms
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NEW.account_id, NEW.revoked_ms, 'key.revoked', NEW.key_id, 32, json_object('name', NEW.name)); END;
CREATE TRIGGER operator_keys_event_created AFTER INSERT ON operator_keys
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NULL, NEW.created_ms, 'operator_key.created', NEW.key_id, 0, json_object('name', NEW.name)); END;
CREATE TRIGGER operator_keys_event_revoked AFTER UPDATE OF revoked_ms ON operator_keys
    WHEN NEW.revoked_ms AND NOT OLD.revoked_ms
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NULL, NEW.revoked_ms, 'operator_key.revoked', NEW.key_id, 0, json_object('name', NEW.name)); END;
CREATE TRIGGER ssh_keys_event_created AFTER INSERT ON ssh_keys
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NEW.account_id, NEW.created_ms, 'ssh_key.created', NEW.ssh_key_id, 2048,
                json_object('name', NEW.name, 'fingerprint', NEW.fingerprint)); END;

-- How far each source of events has been read: moves in the transaction that writes them.
CREATE TABLE event_cursors (
    source   TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
