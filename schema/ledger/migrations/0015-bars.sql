CREATE TABLE bar (
    subject     TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    operator    TEXT NOT NULL,
    reason      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX bar_account ON bar (account_id);
