-- api.db: who may ask, and what was asked. Written by api alone.
-- Times are Unix milliseconds, given by the program; ids are made by the program.
-- The migrations beside this file lead from an empty database to this shape.

-- One row a customer; accountd keeps the money under the same id. number: 1 for who was confirmed first.
CREATE TABLE customers (
    account_id TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    currency   TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    confirmed  INTEGER NOT NULL DEFAULT 0           -- accountd has opened the account
, number INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX customers_by_number ON customers (number) WHERE confirmed;

-- What an account's things are kept apart in. Each account has one from its beginning: prj_ and the account's digits.
CREATE TABLE projects (
    project_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    name       TEXT NOT NULL COLLATE NOCASE,
    created_ms INTEGER NOT NULL,
    deleted_ms INTEGER NOT NULL DEFAULT 0           -- what was in it still says so
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX projects_by_name ON projects (account_id, name) WHERE deleted_ms = 0;
CREATE TRIGGER customers_default_project AFTER INSERT ON customers
    BEGIN INSERT INTO projects (project_id, account_id, name, created_ms)
        VALUES ('prj_' || substr(NEW.account_id, 5), NEW.account_id, 'default', NEW.created_ms); END;
-- Customers' keys. hash is SHA-256 of the key: 200 random bits need no slow hash. addresses: from where it may be used,
-- separated by spaces ('' anywhere); spend_limit_nano: what it may have held in a month (0 as much as there is);
-- project_id: it is bound to that one ('' the whole account); number: among its account's, 1 for the oldest.
CREATE TABLE keys (
    key_id     TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id),
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    scopes     INTEGER NOT NULL,                    -- bits of enum scope
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL DEFAULT 0,          -- 0 never
    revoked_ms INTEGER NOT NULL DEFAULT 0
, addresses TEXT NOT NULL DEFAULT '', spend_limit_nano INTEGER NOT NULL DEFAULT 0, project_id TEXT NOT NULL DEFAULT '', number INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_by_account ON keys (account_id, number);
CREATE INDEX keys_by_project ON keys (project_id, number) WHERE project_id <> '';

-- Operators' keys: another table, so that no flag turns a customer into an operator. operator_id: whose; one that is
-- nobody's counts as a person of its own.
CREATE TABLE operator_keys (
    key_id     TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL DEFAULT 0,
    revoked_ms INTEGER NOT NULL DEFAULT 0
, operator_id TEXT REFERENCES operators (operator_id), role TEXT NOT NULL DEFAULT 'admin') STRICT, WITHOUT ROWID;

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
, labels TEXT NOT NULL DEFAULT '{}', revision INTEGER NOT NULL DEFAULT 1, project_id TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
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
    created_ms  INTEGER NOT NULL, project_id TEXT NOT NULL DEFAULT '',
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

-- Who logs in. An email is one person's, however it is spelled. email_verified_ms: when its owner opened a link that only
-- this mailbox was sent (0 never).
CREATE TABLE users (
    user_id    TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    email      TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name       TEXT NOT NULL,
    created_ms INTEGER NOT NULL
, email_verified_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_account ON users (account_id, created_ms);

-- Links that show whose a mailbox is, and open nothing; hash is SHA-256 of what is behind the path's #.
CREATE TABLE email_links (
    hash       BLOB NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL UNIQUE REFERENCES users (user_id) ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A user's role, for the account (project_id '') or for one project. Who has none left is no user any more.
CREATE TABLE members (
    member_id  TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    project_id TEXT NOT NULL DEFAULT '',
    role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'billing', 'viewer')),
    created_ms INTEGER NOT NULL,
    UNIQUE (user_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_project ON members (project_id);
-- Who is to become a member; hash is SHA-256 of what is behind the link's #.
CREATE TABLE invitations (
    invitation_id TEXT NOT NULL PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    project_id    TEXT NOT NULL DEFAULT '',
    email         TEXT NOT NULL COLLATE NOCASE,
    role          TEXT NOT NULL,
    hash          BLOB NOT NULL UNIQUE,
    mailed        INTEGER NOT NULL,                 -- nobody but the mailbox's owner saw the link
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_by_email ON invitations (account_id, project_id, email);

-- In which project a volume or a snapshot is; the default one if it is not here. Other daemons know of no projects.
CREATE TABLE placements (
    id         TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The people who run the host: another table, so that no flag turns a customer into an operator.
CREATE TABLE operators (
    operator_id TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL COLLATE NOCASE UNIQUE,
    role        TEXT NOT NULL CHECK (role IN ('view', 'support', 'billing', 'admin')),
    created_ms  INTEGER NOT NULL,
    disabled_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What a user (usr_) or an operator (opr_) logs in with.
CREATE TABLE credentials (
    owner          TEXT NOT NULL PRIMARY KEY,
    password       TEXT NOT NULL DEFAULT '',        -- Argon2id's string; '' none yet
    totp_secret    BLOB,                            -- NULL: no second factor
    totp_offered   BLOB,                            -- shown, not yet confirmed by a code
    totp_last_step INTEGER NOT NULL DEFAULT 0       -- the newest 30 s step whose code was taken
) STRICT, WITHOUT ROWID;

-- hash is SHA-256 of the cookie.
CREATE TABLE sessions (
    hash          BLOB NOT NULL PRIMARY KEY,
    session_id    TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    seen_ms       INTEGER NOT NULL,
    idle_until_ms INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    peer          TEXT NOT NULL,
    agent         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_owner ON sessions (owner, created_ms);

-- Codes for who has lost the device that makes the others; hash is SHA-256.
CREATE TABLE recovery_codes (
    hash    BLOB NOT NULL PRIMARY KEY,
    owner   TEXT NOT NULL,
    used_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_codes_by_owner ON recovery_codes (owner);

-- Setting a password without knowing the old one; hash is SHA-256 of what is behind the path's #.
CREATE TABLE one_time_links (
    hash        BLOB NOT NULL PRIMARY KEY,
    owner       TEXT NOT NULL,
    remove_totp INTEGER NOT NULL,                   -- using it also ends the second factor
    expires_ms  INTEGER NOT NULL,
    used_ms     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_links_by_owner ON one_time_links (owner);

-- Failed logins in a row, by the hash of the name given, whether or not somebody has it: so that
-- a name that nobody has rests after as many tries, and an attempt costs the same.
CREATE TABLE login_failures (
    name            BLOB NOT NULL PRIMARY KEY,
    failures        INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL DEFAULT 0,
    at_ms           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- With a person goes all that the person logs in with.
CREATE TRIGGER users_gone AFTER DELETE ON users BEGIN
    DELETE FROM credentials WHERE owner = old.user_id;
    DELETE FROM sessions WHERE owner = old.user_id;
    DELETE FROM recovery_codes WHERE owner = old.user_id;
    DELETE FROM one_time_links WHERE owner = old.user_id;
END;

-- Every deed, in a chain: hash is SHA-256 of the row before's hash and of this row as canonical JSON.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at_ms      INTEGER NOT NULL,
    actor_type TEXT NOT NULL,                       -- anonymous, user, key, operator
    actor_id   TEXT NOT NULL,
    account_id TEXT NOT NULL,                       -- whose things it was about; '' nobody's
    peer       TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action     TEXT NOT NULL,                       -- "POST /v1/instances/{id}/actions"
    object     TEXT NOT NULL,
    status     INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    hash       BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_account ON audit (account_id, seq);
CREATE INDEX audit_by_actor ON audit (actor_id, seq);
CREATE INDEX audit_by_object ON audit (object, seq);
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only ever added to'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only ever added to'); END;

-- What a key with a spend limit has had held in a month, "2026-11".
CREATE TABLE key_spending (
    key_id    TEXT NOT NULL REFERENCES keys (key_id),
    month     TEXT NOT NULL,
    held_nano INTEGER NOT NULL,
    PRIMARY KEY (key_id, month)
) STRICT, WITHOUT ROWID;

-- Where a customer wants to be told of events.
CREATE TABLE webhooks (
    webhook_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    url        TEXT NOT NULL,                       -- https
    types      TEXT NOT NULL,                       -- JSON: a list of types, or their beginnings: "instance.*"
    scopes     INTEGER NOT NULL,                    -- of the key that made it: it is told no more than that one may read
    secret     TEXT NOT NULL,                       -- what its requests are signed with
    created_ms INTEGER NOT NULL,
    enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_by_account ON webhooks (account_id, created_ms);

-- One event on its way to one webhook. Kept as long as events.
CREATE TABLE deliveries (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id  TEXT NOT NULL REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
    event_seq   INTEGER NOT NULL,
    state       TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'delivered', 'failed')),
    due_ms      INTEGER NOT NULL,                   -- pending: not before; sending: nobody has it after that
    attempts    INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL,
    tried_ms    INTEGER NOT NULL DEFAULT 0,         -- the last attempt: when, how long, and what came of it
    took_ms     INTEGER NOT NULL DEFAULT 0,
    status      INTEGER NOT NULL DEFAULT 0,         -- HTTP's; 0 no answer
    error       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, number);
CREATE INDEX deliveries_pending ON deliveries (webhook_id, due_ms) WHERE state = 'pending';
CREATE INDEX deliveries_due ON deliveries (due_ms) WHERE state = 'pending';
CREATE INDEX deliveries_sending ON deliveries (webhook_id) WHERE state = 'sending';
CREATE INDEX deliveries_by_age ON deliveries (created_ms);

-- A ping goes to the one webhook that it is for: that is its own delivery.
CREATE TRIGGER events_deliver AFTER INSERT ON events WHEN NEW.account_id IS NOT NULL AND NEW.type <> 'webhook.ping'
    BEGIN INSERT INTO deliveries (webhook_id, event_seq, due_ms, created_ms)
        SELECT webhook_id, NEW.seq, NEW.at_ms, NEW.at_ms FROM webhooks
        WHERE account_id = NEW.account_id AND enabled AND NEW.scope & scopes = NEW.scope
          AND EXISTS (SELECT 1 FROM json_each(types) WHERE NEW.type GLOB value); END;

CREATE TRIGGER instances_event_changed AFTER UPDATE OF revision ON instances WHEN NEW.revision <> OLD.revision
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NEW.account_id, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'instance.changed',
                NEW.instance_id, 2, json_object('name', NEW.name, 'labels', json(NEW.labels))); END;
