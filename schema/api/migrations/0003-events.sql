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
