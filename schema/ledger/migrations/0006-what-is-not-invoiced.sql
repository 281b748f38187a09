-- What is charged and not invoiced yet, what each month has come to, what customers say of themselves; credit notes.
CREATE TABLE meter_sum (
    account_id TEXT NOT NULL REFERENCES account (account_id),
    origin     TEXT NOT NULL,
    period     TEXT NOT NULL,
    price_book INTEGER NOT NULL,
    meter      TEXT NOT NULL,
    quantity   TEXT NOT NULL,
    invoiced   TEXT NOT NULL DEFAULT '0',
    PRIMARY KEY (account_id, origin, period, price_book, meter)
) STRICT, WITHOUT ROWID;
CREATE TABLE period_start (
    account_id TEXT NOT NULL REFERENCES account (account_id),
    origin     TEXT NOT NULL,
    period     TEXT NOT NULL,
    first_idx  INTEGER NOT NULL,
    PRIMARY KEY (account_id, origin, period)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_use (
    account_id   TEXT NOT NULL REFERENCES account (account_id),
    origin       TEXT NOT NULL,
    from_idx     INTEGER NOT NULL,
    period       TEXT NOT NULL,
    records      INTEGER NOT NULL,
    t0_ms        INTEGER NOT NULL,
    t1_ms        INTEGER NOT NULL,
    net_nano     INTEGER NOT NULL,
    tax_nano     INTEGER NOT NULL,
    carried_nano INTEGER NOT NULL,
    tax_category TEXT NOT NULL,
    tax_country  TEXT NOT NULL,
    tax_permyriad INTEGER NOT NULL,
    tax_reason   TEXT NOT NULL,
    PRIMARY KEY (account_id, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_use_period ON open_use (period);
CREATE TABLE detail_sum (
    account_id   TEXT NOT NULL REFERENCES account (account_id),
    origin       TEXT NOT NULL,
    period       TEXT NOT NULL,
    price_book   INTEGER NOT NULL,
    instance_id  TEXT NOT NULL,
    meter        TEXT NOT NULL,
    quantity     TEXT NOT NULL,
    charged_nano INTEGER NOT NULL,
    PRIMARY KEY (account_id, origin, period, price_book, instance_id, meter)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_chain (
    account_id   TEXT NOT NULL REFERENCES account (account_id),
    origin       TEXT NOT NULL,
    incarnation  TEXT NOT NULL,
    instance_id  TEXT NOT NULL,
    first_idx    INTEGER NOT NULL,
    first_number INTEGER NOT NULL,
    last_number  INTEGER NOT NULL,
    PRIMARY KEY (account_id, origin, incarnation)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_detail (
    account_id TEXT NOT NULL REFERENCES account (account_id),
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (account_id, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER account_detail_no_update BEFORE UPDATE ON account_detail
    BEGIN SELECT RAISE(ABORT, 'what a customer said is never changed: add a version'); END;
CREATE TRIGGER account_detail_no_delete BEFORE DELETE ON account_detail
    BEGIN SELECT RAISE(ABORT, 'what a customer said is never removed'); END;

ALTER TABLE invoice ADD COLUMN kind TEXT NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit_note'));
ALTER TABLE invoice ADD COLUMN refers_id TEXT REFERENCES invoice (invoice_id);
ALTER TABLE invoice ADD COLUMN ledger_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX invoice_refers ON invoice (refers_id) WHERE refers_id IS NOT NULL;
CREATE TABLE invoice_cades (
    invoice_id TEXT NOT NULL REFERENCES invoice (invoice_id),
    file       TEXT NOT NULL,
    der        BLOB NOT NULL,
    PRIMARY KEY (invoice_id, file)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER invoice_cades_no_update BEFORE UPDATE ON invoice_cades
    BEGIN SELECT RAISE(ABORT, 'a signature that was given out is never changed'); END;
CREATE TRIGGER invoice_cades_no_delete BEFORE DELETE ON invoice_cades
    BEGIN SELECT RAISE(ABORT, 'a signature that was given out is never removed'); END;
