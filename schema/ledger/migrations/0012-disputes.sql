-- Disputes: what a customer says against an invoice, the evidence of that moment, and how it ended.
CREATE TABLE dispute (
    number      INTEGER PRIMARY KEY,
    dispute_id  TEXT NOT NULL UNIQUE,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    invoice_id  TEXT NOT NULL REFERENCES invoice (invoice_id),
    line        INTEGER NOT NULL CHECK (line >= 0),
    request     TEXT NOT NULL,
    opened_ms   INTEGER NOT NULL,
    document    TEXT NOT NULL,
    minisig     TEXT NOT NULL
) STRICT;
CREATE INDEX dispute_invoice ON dispute (invoice_id);
CREATE INDEX dispute_account ON dispute (account_id, number);
CREATE TRIGGER dispute_no_update BEFORE UPDATE ON dispute
    BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER dispute_no_delete BEFORE DELETE ON dispute
    BEGIN SELECT RAISE(ABORT, 'evidence is never removed'); END;
CREATE TRIGGER dispute_no_replace BEFORE INSERT ON dispute
    WHEN EXISTS (SELECT 1 FROM dispute WHERE dispute_id = NEW.dispute_id OR number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'disputes are never replaced'); END;
CREATE TABLE dispute_end (
    dispute_id     TEXT PRIMARY KEY REFERENCES dispute (dispute_id),
    outcome        TEXT NOT NULL CHECK (outcome IN ('accepted', 'rejected')),
    reason         TEXT NOT NULL,
    operator       TEXT NOT NULL,
    credit_note_id TEXT REFERENCES invoice (invoice_id),
    at_ms          INTEGER NOT NULL,
    CHECK ((outcome = 'accepted') = (credit_note_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER dispute_end_no_update BEFORE UPDATE ON dispute_end
    BEGIN SELECT RAISE(ABORT, 'a dispute ends once'); END;
CREATE TRIGGER dispute_end_no_delete BEFORE DELETE ON dispute_end
    BEGIN SELECT RAISE(ABORT, 'a dispute ends once'); END;
CREATE TRIGGER dispute_end_no_replace BEFORE INSERT ON dispute_end
    WHEN EXISTS (SELECT 1 FROM dispute_end WHERE dispute_id = NEW.dispute_id)
    BEGIN SELECT RAISE(ABORT, 'a dispute ends once'); END;
