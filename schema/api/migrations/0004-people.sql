-- Who logs in. An email is one person's, however it is spelled.
CREATE TABLE users (
    user_id    TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    email      TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name       TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_account ON users (account_id, created_ms);

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

ALTER TABLE keys ADD COLUMN addresses TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN spend_limit_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operator_keys ADD COLUMN operator_id TEXT REFERENCES operators (operator_id);
ALTER TABLE operator_keys ADD COLUMN role TEXT NOT NULL DEFAULT 'admin';

-- What a key with a spend limit has had held in a month, "2026-11".
CREATE TABLE key_spending (
    key_id    TEXT NOT NULL REFERENCES keys (key_id),
    month     TEXT NOT NULL,
    held_nano INTEGER NOT NULL,
    PRIMARY KEY (key_id, month)
) STRICT, WITHOUT ROWID;
