CREATE TABLE alert (
    number     INTEGER PRIMARY KEY,
    key        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    account_id TEXT,
    subject    TEXT NOT NULL,
    detail     TEXT NOT NULL,
    raised_ms  INTEGER NOT NULL,
    cleared_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX alert_stands ON alert (key) WHERE cleared_ms IS NULL;
CREATE INDEX alert_account ON alert (account_id, number);
CREATE TRIGGER alert_no_delete BEFORE DELETE ON alert BEGIN SELECT RAISE(ABORT, 'alerts are never removed'); END;
