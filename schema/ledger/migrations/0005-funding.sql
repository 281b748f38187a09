CREATE TABLE payment_reference (
    account_id TEXT PRIMARY KEY REFERENCES account (account_id),
    reference  TEXT NOT NULL
) STRICT;
CREATE INDEX payment_reference_text ON payment_reference (reference);

CREATE TABLE bank_import (
    import_id TEXT PRIMARY KEY,
    sha256    TEXT NOT NULL,
    operator  TEXT NOT NULL,
    report    TEXT NOT NULL,
    at_ms     INTEGER NOT NULL
) STRICT;
CREATE TRIGGER bank_import_no_update BEFORE UPDATE ON bank_import
    BEGIN SELECT RAISE(ABORT, 'imports are never changed'); END;
CREATE TRIGGER bank_import_no_delete BEFORE DELETE ON bank_import
    BEGIN SELECT RAISE(ABORT, 'imports are never removed'); END;

CREATE TABLE receipt (
    number       INTEGER PRIMARY KEY,
    receipt_id   TEXT NOT NULL UNIQUE,
    source       TEXT NOT NULL CHECK (source IN ('bank', 'card')),
    origin       TEXT NOT NULL,
    statement    TEXT NOT NULL,
    servicer_ref TEXT NOT NULL,
    twin         TEXT NOT NULL,
    booked_on    TEXT NOT NULL,
    amount_nano  INTEGER NOT NULL CHECK (amount_nano >= 0),
    currency     TEXT NOT NULL,
    payer        TEXT NOT NULL,
    payer_iban   TEXT NOT NULL,
    text         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('credited', 'suspense', 'ignored')),
    why          TEXT NOT NULL,
    account_id   TEXT REFERENCES account (account_id),
    transfer_id  TEXT UNIQUE REFERENCES transfer (transfer_id),
    at_ms        INTEGER NOT NULL,
    CHECK ((state = 'credited') = (account_id IS NOT NULL)),
    CHECK ((state = 'ignored') = (transfer_id IS NULL))
) STRICT;
CREATE INDEX receipt_twin ON receipt (twin);
CREATE INDEX receipt_state ON receipt (state, number);
CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts are never changed'); END;
CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts are never removed'); END;

CREATE TABLE receipt_end (
    receipt_id  TEXT PRIMARY KEY REFERENCES receipt (receipt_id),
    kind        TEXT NOT NULL CHECK (kind IN ('assigned', 'returned')),
    account_id  TEXT REFERENCES account (account_id),
    transfer_id TEXT NOT NULL UNIQUE REFERENCES transfer (transfer_id),
    operator    TEXT NOT NULL,
    reason      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    CHECK ((kind = 'assigned') = (account_id IS NOT NULL))
) STRICT;
CREATE TRIGGER receipt_end_no_update BEFORE UPDATE ON receipt_end
    BEGIN SELECT RAISE(ABORT, 'what was assigned or returned stays so'); END;
CREATE TRIGGER receipt_end_no_delete BEFORE DELETE ON receipt_end
    BEGIN SELECT RAISE(ABORT, 'what was assigned or returned stays so'); END;

CREATE TABLE payment_event (
    provider      TEXT NOT NULL,
    event_id      TEXT NOT NULL,
    type          TEXT NOT NULL,
    receipt_id    TEXT,
    refunded_nano INTEGER NOT NULL,
    dispute       TEXT NOT NULL,
    disputed_nano INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    body          TEXT NOT NULL,
    at_ms         INTEGER NOT NULL,
    PRIMARY KEY (provider, event_id)
) STRICT;
CREATE INDEX payment_event_receipt ON payment_event (receipt_id);
CREATE TRIGGER payment_event_no_update BEFORE UPDATE ON payment_event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER payment_event_no_delete BEFORE DELETE ON payment_event
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;

CREATE TABLE payment_taking (
    receipt_id   TEXT NOT NULL REFERENCES receipt (receipt_id),
    event_id     TEXT NOT NULL,
    taken_nano   INTEGER NOT NULL CHECK (taken_nano >= 0),
    carried_nano INTEGER NOT NULL CHECK (carried_nano >= 0),
    at_ms        INTEGER NOT NULL,
    PRIMARY KEY (receipt_id, event_id)
) STRICT;
CREATE TRIGGER payment_taking_no_update BEFORE UPDATE ON payment_taking
    BEGIN SELECT RAISE(ABORT, 'what was taken back stays so'); END;
CREATE TRIGGER payment_taking_no_delete BEFORE DELETE ON payment_taking
    BEGIN SELECT RAISE(ABORT, 'what was taken back stays so'); END;

CREATE TABLE voucher (
    voucher_id  TEXT PRIMARY KEY,
    code_hash   BLOB NOT NULL UNIQUE,
    amount_nano INTEGER NOT NULL CHECK (amount_nano > 0),
    expires_ms  INTEGER,
    operator    TEXT NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT;
CREATE TRIGGER voucher_no_update BEFORE UPDATE ON voucher BEGIN SELECT RAISE(ABORT, 'vouchers are never changed'); END;
CREATE TRIGGER voucher_no_delete BEFORE DELETE ON voucher BEGIN SELECT RAISE(ABORT, 'vouchers are never removed'); END;

CREATE TABLE voucher_redemption (
    voucher_id  TEXT PRIMARY KEY REFERENCES voucher (voucher_id),
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    transfer_id TEXT NOT NULL UNIQUE REFERENCES transfer (transfer_id),
    at_ms       INTEGER NOT NULL
) STRICT;
CREATE TRIGGER voucher_redemption_no_update BEFORE UPDATE ON voucher_redemption
    BEGIN SELECT RAISE(ABORT, 'a voucher is redeemed once'); END;
CREATE TRIGGER voucher_redemption_no_delete BEFORE DELETE ON voucher_redemption
    BEGIN SELECT RAISE(ABORT, 'a voucher is redeemed once'); END;
