-- Where a customer wants to be told of events. Keys that could do everything still can.
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

UPDATE keys SET scopes = 32767 WHERE scopes = 8191;
