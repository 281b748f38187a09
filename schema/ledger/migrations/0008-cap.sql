CREATE TABLE cap_payer (
    payer       TEXT PRIMARY KEY REFERENCES account (account_id),
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    state       TEXT NOT NULL CHECK (state IN ('suspended', 'stopped', 'deleted')),
    since_ms    INTEGER NOT NULL,
    boot        TEXT NOT NULL,
    mark_ns     INTEGER NOT NULL,
    elapsed_ms  INTEGER NOT NULL,
    minute_nano INTEGER NOT NULL
) STRICT;
CREATE TABLE cap_instance (
    instance_id TEXT PRIMARY KEY REFERENCES instance (instance_id),
    payer       TEXT NOT NULL REFERENCES account (account_id),
    want        TEXT NOT NULL CHECK (want IN ('run', 'suspend', 'stop', 'delete')),
    held        INTEGER NOT NULL CHECK (held IN (0, 1))
) STRICT;
CREATE TABLE cap_event (
    number         INTEGER PRIMARY KEY,
    payer          TEXT NOT NULL REFERENCES account (account_id),
    at_ms          INTEGER NOT NULL,
    instances      INTEGER NOT NULL,
    stop_ms        INTEGER NOT NULL,
    overshoot_nano INTEGER NOT NULL
) STRICT;
CREATE TABLE cap_stop (
    number      INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL,
    stop_ms     INTEGER NOT NULL
) STRICT;
CREATE TABLE budget (
    budget_id   TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    amount_nano INTEGER NOT NULL CHECK (amount_nano > 0),
    steps       TEXT NOT NULL
) STRICT;
CREATE INDEX budget_account ON budget (account_id, budget_id);
