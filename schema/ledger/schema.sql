-- ledger.db: money, and what is registered to be charged. One writer: accountd.
-- What is only ever added refuses UPDATE, DELETE and REPLACE, which takes a row away without asking the DELETE triggers.
-- This is today's shape; migrations/ lead to it. Amounts are int64 in 10^-9 of the currency.

CREATE TABLE account (
    account_id TEXT PRIMARY KEY,        -- customers' ids; the host's own contain a colon
    name       TEXT NOT NULL,
    currency   TEXT NOT NULL CHECK (length(currency) = 3),
    overdraft  INTEGER NOT NULL CHECK (overdraft IN (0, 1)),   -- may go below zero: the host's own
    opened_ms  INTEGER NOT NULL,
    owner      TEXT REFERENCES account (account_id)     -- the customer whose purse it is; NULL for any other
) STRICT;
CREATE INDEX account_owner ON account (owner) WHERE owner IS NOT NULL;
CREATE TRIGGER account_no_update BEFORE UPDATE ON account BEGIN SELECT RAISE(ABORT, 'accounts are never changed'); END;
CREATE TRIGGER account_no_delete BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'accounts are never removed'); END;
CREATE TRIGGER account_no_replace BEFORE INSERT ON account
    WHEN EXISTS (SELECT 1 FROM account WHERE account_id = NEW.account_id)
    BEGIN SELECT RAISE(ABORT, 'accounts are never replaced'); END;

-- Sums of the transfers, kept by the triggers below; a test adds them up again.
CREATE TABLE balance (
    account_id  TEXT PRIMARY KEY REFERENCES account (account_id),
    overdraft   INTEGER NOT NULL,
    posted_nano INTEGER NOT NULL DEFAULT 0,         -- credits less debits
    held_nano   INTEGER NOT NULL DEFAULT 0 CHECK (held_nano >= 0),
    CHECK (overdraft = 1 OR posted_nano - held_nano >= 0)
) STRICT;
CREATE TRIGGER account_balance AFTER INSERT ON account BEGIN
    INSERT INTO balance (account_id, overdraft) VALUES (NEW.account_id, NEW.overdraft);
END;

-- Every movement of money. Entries are only ever added; corrections are new entries.
CREATE TABLE transfer (
    seq         INTEGER PRIMARY KEY,
    transfer_id TEXT NOT NULL UNIQUE,   -- derived from what it is for: posting it again does nothing
    kind        TEXT NOT NULL CHECK (kind IN ('posted', 'pending', 'post', 'void')),
    debit       TEXT NOT NULL REFERENCES account (account_id),
    credit      TEXT NOT NULL REFERENCES account (account_id),
    amount_nano INTEGER NOT NULL CHECK (amount_nano > 0),
    pending_id  TEXT REFERENCES transfer (transfer_id),         -- what a post or void ends
    code        TEXT NOT NULL,          -- fund, credit, voucher, bank, card, suspense, usage, rounding, carried, hold
    reason      TEXT NOT NULL,
    refers      TEXT NOT NULL,          -- "leaf ORIGIN INDEX", "invoice ID", "instance ID" or ""
    at_ms       INTEGER NOT NULL,
    expires_ms  INTEGER CHECK (expires_ms IS NULL OR kind = 'pending'),     -- cannot be posted from then on
    CHECK (debit <> credit),
    CHECK ((kind IN ('post', 'void')) = (pending_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX transfer_pending_once ON transfer (pending_id) WHERE pending_id IS NOT NULL;
CREATE INDEX transfer_debit ON transfer (debit, seq);
CREATE INDEX transfer_credit ON transfer (credit, seq);
CREATE TRIGGER transfer_no_update BEFORE UPDATE ON transfer
    BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END;
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer
    BEGIN SELECT RAISE(ABORT, 'transfers are never removed'); END;
CREATE TRIGGER transfer_no_replace BEFORE INSERT ON transfer
    WHEN EXISTS (SELECT 1 FROM transfer WHERE transfer_id = NEW.transfer_id)
      OR EXISTS (SELECT 1 FROM transfer WHERE seq = NEW.seq)
      OR EXISTS (SELECT 1 FROM transfer WHERE pending_id = NEW.pending_id)
    BEGIN SELECT RAISE(ABORT, 'transfers are never replaced, and a hold ends once'); END;
CREATE TRIGGER transfer_ends_hold BEFORE INSERT ON transfer WHEN NEW.pending_id IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'not a hold of these accounts, or not the amount it holds')
    WHERE NOT EXISTS (SELECT 1 FROM transfer p WHERE p.transfer_id = NEW.pending_id AND p.kind = 'pending'
                      AND p.debit = NEW.debit AND p.credit = NEW.credit
                      AND (NEW.amount_nano = p.amount_nano OR NEW.kind = 'post' AND NEW.amount_nano < p.amount_nano));
    UPDATE balance SET held_nano = held_nano - (SELECT amount_nano FROM transfer WHERE transfer_id = NEW.pending_id)
    WHERE account_id = NEW.debit;
    DELETE FROM expiring WHERE transfer_id = NEW.pending_id;
END;
CREATE TRIGGER transfer_holds AFTER INSERT ON transfer WHEN NEW.kind = 'pending' BEGIN
    UPDATE balance SET held_nano = held_nano + NEW.amount_nano WHERE account_id = NEW.debit;
END;
CREATE TRIGGER transfer_moves AFTER INSERT ON transfer WHEN NEW.kind IN ('posted', 'post') BEGIN
    UPDATE balance SET posted_nano = posted_nano - NEW.amount_nano WHERE account_id = NEW.debit;
    UPDATE balance SET posted_nano = posted_nano + NEW.amount_nano WHERE account_id = NEW.credit;
END;

-- Holds in force that end by themselves.
CREATE TABLE expiring (
    transfer_id TEXT PRIMARY KEY REFERENCES transfer (transfer_id),
    expires_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX expiring_when ON expiring (expires_ms);
CREATE TRIGGER transfer_expires AFTER INSERT ON transfer WHEN NEW.expires_ms IS NOT NULL BEGIN
    INSERT INTO expiring VALUES (NEW.transfer_id, NEW.expires_ms);
END;

-- Published price books, immutable. The newest applies to what is registered from now on.
CREATE TABLE price_book (
    version INTEGER PRIMARY KEY,
    body    TEXT NOT NULL,              -- canonical JSON
    at_ms   INTEGER NOT NULL
) STRICT;
CREATE TRIGGER price_book_no_update BEFORE UPDATE ON price_book
    BEGIN SELECT RAISE(ABORT, 'a published price book is never changed'); END;
CREATE TRIGGER price_book_no_delete BEFORE DELETE ON price_book
    BEGIN SELECT RAISE(ABORT, 'a published price book is never removed'); END;
CREATE TRIGGER price_book_no_replace BEFORE INSERT ON price_book
    WHEN EXISTS (SELECT 1 FROM price_book WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a published price book is never replaced'); END;

-- Proposed price books, immutable: a version is spent, whatever becomes of it.
CREATE TABLE price_proposal (
    version  INTEGER PRIMARY KEY,
    body     TEXT NOT NULL,             -- canonical JSON
    operator TEXT NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;
CREATE TRIGGER price_proposal_no_update BEFORE UPDATE ON price_proposal
    BEGIN SELECT RAISE(ABORT, 'a proposed price book is never changed'); END;
CREATE TRIGGER price_proposal_no_delete BEFORE DELETE ON price_proposal
    BEGIN SELECT RAISE(ABORT, 'a proposed price book is never removed'); END;
CREATE TRIGGER price_proposal_no_replace BEFORE INSERT ON price_proposal
    WHEN EXISTS (SELECT 1 FROM price_proposal WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a proposed price book is never replaced'); END;

-- What became of them. Whoever proposed a book cannot publish it.
CREATE TABLE price_decision (
    version  INTEGER PRIMARY KEY REFERENCES price_proposal (version),
    outcome  TEXT NOT NULL CHECK (outcome IN ('published', 'withdrawn')),
    operator TEXT NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;
CREATE TRIGGER price_decision_by_another BEFORE INSERT ON price_decision WHEN NEW.outcome = 'published' BEGIN
    SELECT RAISE(ABORT, 'whoever proposed a price book cannot publish it')
    WHERE EXISTS (SELECT 1 FROM price_proposal p WHERE p.version = NEW.version AND p.operator = NEW.operator);
END;
CREATE TRIGGER price_decision_no_update BEFORE UPDATE ON price_decision
    BEGIN SELECT RAISE(ABORT, 'a decision about a price book is never changed'); END;
CREATE TRIGGER price_decision_no_delete BEFORE DELETE ON price_decision
    BEGIN SELECT RAISE(ABORT, 'a decision about a price book is never removed'); END;
CREATE TRIGGER price_decision_no_replace BEFORE INSERT ON price_decision
    WHEN EXISTS (SELECT 1 FROM price_decision WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a decision about a price book is never replaced'); END;
CREATE TRIGGER price_book_was_decided BEFORE INSERT ON price_book WHEN EXISTS (SELECT 1 FROM price_book) BEGIN
    SELECT RAISE(ABORT, 'a price book is published by two operators')
    WHERE NOT EXISTS (SELECT 1 FROM price_proposal p JOIN price_decision d USING (version)
                      WHERE p.version = NEW.version AND p.body = NEW.body AND d.outcome = 'published');
END;

-- The invoice key's minisig over each published book, made when it was published.
CREATE TABLE price_signature (
    version INTEGER PRIMARY KEY REFERENCES price_book (version),
    minisig TEXT NOT NULL
) STRICT;
CREATE TRIGGER price_signature_no_update BEFORE UPDATE ON price_signature
    BEGIN SELECT RAISE(ABORT, 'a price book''s signature is never changed'); END;
CREATE TRIGGER price_signature_no_delete BEFORE DELETE ON price_signature
    BEGIN SELECT RAISE(ABORT, 'a price book''s signature is never removed'); END;
CREATE TRIGGER price_signature_no_replace BEFORE INSERT ON price_signature
    WHEN EXISTS (SELECT 1 FROM price_signature WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a price book''s signature is never replaced'); END;

-- Instances that customers pay for, with the hold that is kept for each. number: among its account's, 1 for the oldest.
CREATE TABLE instance (
    instance_id TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    hold_id     TEXT REFERENCES transfer (transfer_id),        -- the pending transfer in force
    hold_seq    INTEGER NOT NULL,       -- holds taken so far: part of the next one's id
    closed      INTEGER NOT NULL CHECK (closed IN (0, 1)),
    payer       TEXT REFERENCES account (account_id)    -- a purse; NULL: the account's wallet
, number INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX instance_account ON instance (account_id, number);
CREATE INDEX instance_open ON instance (account_id, number) WHERE closed = 0;
CREATE INDEX instance_held ON instance (instance_id) WHERE closed = 1 AND hold_id IS NOT NULL;
CREATE INDEX instance_payer ON instance (payer) WHERE payer IS NOT NULL;

-- Money set aside for a project. Its purse is the account "po:" and its id; number as of an instance.
CREATE TABLE purchase_order (
    po_id       TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    name        TEXT NOT NULL,
    amount_nano INTEGER NOT NULL,       -- as it was created
    end_ms      INTEGER,                -- takes no launches from then on, and the rest goes back; NULL: no end
    created_ms  INTEGER NOT NULL,
    funded_nano INTEGER NOT NULL,       -- put into the purse less what went back
    returns     INTEGER NOT NULL,       -- how often money went back: part of the next return's id
    closed_ms   INTEGER                 -- NULL while it is open
, number INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX purchase_order_account ON purchase_order (account_id, number);
CREATE INDEX purchase_order_end ON purchase_order (end_ms) WHERE end_ms IS NOT NULL AND closed_ms IS NULL;

-- Which incarnation of which domain is whose. charged_nano: what it was charged, without tax; NULL: registered before that was kept.
CREATE TABLE registration (
    incarnation TEXT PRIMARY KEY,
    instance_id TEXT NOT NULL REFERENCES instance (instance_id),
    domain_uuid TEXT NOT NULL,
    vcpus       INTEGER NOT NULL,
    memory_mib  INTEGER NOT NULL,
    price_book  INTEGER NOT NULL REFERENCES price_book (version),
    at_ms       INTEGER NOT NULL,
    last_leaf   TEXT                    -- the newest leaf that was charged: where a new log goes on if usage.db is lost
, charged_nano INTEGER) STRICT;
CREATE INDEX registration_instance ON registration (instance_id);
CREATE TRIGGER registration_no_update
    BEFORE UPDATE OF incarnation, instance_id, domain_uuid, vcpus, memory_mib, price_book, at_ms ON registration
    BEGIN SELECT RAISE(ABORT, 'who pays for an incarnation is never changed'); END;
CREATE TRIGGER registration_no_delete BEFORE DELETE ON registration
    BEGIN SELECT RAISE(ABORT, 'registrations are never removed'); END;
CREATE TRIGGER registration_no_replace BEFORE INSERT ON registration
    WHEN EXISTS (SELECT 1 FROM registration WHERE incarnation = NEW.incarnation)
    BEGIN SELECT RAISE(ABORT, 'registrations are never replaced'); END;

-- How far each log has been charged, and its newest head: what the log must still be able to show.
CREATE TABLE log (
    origin       TEXT PRIMARY KEY,
    charged_to   INTEGER NOT NULL,      -- leaves before this index are charged
    head_size    INTEGER NOT NULL,
    head_note    TEXT NOT NULL
) STRICT;

-- Invoices and credit notes. Numbers run from 1 without holes. An invoice covers the account's leaves
-- from_idx <= idx < to_idx; a credit note covers none and gives back what an invoice took.
CREATE TABLE invoice (
    number      INTEGER PRIMARY KEY,
    invoice_id  TEXT NOT NULL UNIQUE,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    origin      TEXT NOT NULL,
    from_idx    INTEGER NOT NULL,
    to_idx      INTEGER NOT NULL,
    carried_nano INTEGER NOT NULL,      -- of the total, what the host paid: the wallet was empty
    body        TEXT NOT NULL,          -- invoice.json's exact bytes
    head_note   TEXT NOT NULL           -- the checkpoint of to_idx leaves
    , kind TEXT NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit_note')),
    refers_id TEXT REFERENCES invoice (invoice_id),             -- a credit note's invoice
    ledger_seq INTEGER NOT NULL DEFAULT 0                       -- the newest transfer when it was made
) STRICT;
CREATE INDEX invoice_refers ON invoice (refers_id) WHERE refers_id IS NOT NULL;
CREATE INDEX invoice_account ON invoice (account_id, number);
CREATE TRIGGER invoice_no_update BEFORE UPDATE ON invoice BEGIN SELECT RAISE(ABORT, 'invoices are never changed'); END;
CREATE TRIGGER invoice_no_delete BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, 'invoices are never removed'); END;
CREATE TRIGGER invoice_no_replace BEFORE INSERT ON invoice
    WHEN EXISTS (SELECT 1 FROM invoice WHERE number = NEW.number OR invoice_id = NEW.invoice_id)
    BEGIN SELECT RAISE(ABORT, 'invoices are never replaced'); END;

-- Payers whose money is gone (accountd/cap/cap.h). A payer without a row is ok.
CREATE TABLE cap_payer (
    payer       TEXT PRIMARY KEY REFERENCES account (account_id),
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    state       TEXT NOT NULL CHECK (state IN ('suspended', 'stopped', 'deleted')),
    since_ms    INTEGER NOT NULL,       -- UTC, for people
    boot        TEXT NOT NULL,          -- elapsed_ms counts up to mark_ns of this boot's clock
    mark_ns     INTEGER NOT NULL,
    elapsed_ms  INTEGER NOT NULL,       -- in this state, while the host ran
    minute_nano INTEGER NOT NULL        -- what its instances used in a minute: a top-up must bring more
) STRICT;

-- What is wanted of their instances, until the provisioner has said that they may run again.
CREATE TABLE cap_instance (
    instance_id TEXT PRIMARY KEY REFERENCES instance (instance_id),
    payer       TEXT NOT NULL REFERENCES account (account_id),
    want        TEXT NOT NULL CHECK (want IN ('run', 'suspend', 'stop', 'delete')),
    held        INTEGER NOT NULL CHECK (held IN (0, 1))     -- it does not run: its records bill nothing
) STRICT;

-- What operators have suspended and not let go on yet; who did what when is in api.db's audit log.
CREATE TABLE bar (
    subject     TEXT PRIMARY KEY,       -- an account, or an instance
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    operator    TEXT NOT NULL,
    reason      TEXT NOT NULL,          -- for operators
    at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX bar_account ON bar (account_id);

-- Each suspension as it was measured.
CREATE TABLE cap_event (
    number         INTEGER PRIMARY KEY,
    payer          TEXT NOT NULL REFERENCES account (account_id),
    at_ms          INTEGER NOT NULL,    -- UTC, when its money was used up
    instances      INTEGER NOT NULL,
    stop_ms        INTEGER NOT NULL,    -- until the last of them ran no more, by hv's clock
    overshoot_nano INTEGER NOT NULL     -- what they used past the money: the host's to carry
) STRICT;
CREATE TRIGGER cap_event_no_update BEFORE UPDATE ON cap_event
    BEGIN SELECT RAISE(ABORT, 'what was measured is never changed'); END;
CREATE TRIGGER cap_event_no_delete BEFORE DELETE ON cap_event
    BEGIN SELECT RAISE(ABORT, 'what was measured is never removed'); END;
CREATE TRIGGER cap_event_no_replace BEFORE INSERT ON cap_event
    WHEN EXISTS (SELECT 1 FROM cap_event WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'what was measured is never replaced'); END;
CREATE TABLE cap_stop (
    number      INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL,
    stop_ms     INTEGER NOT NULL        -- from the end of the money until its guest_ns stood still
) STRICT;
CREATE TRIGGER cap_stop_no_update BEFORE UPDATE ON cap_stop
    BEGIN SELECT RAISE(ABORT, 'what was measured is never changed'); END;
CREATE TRIGGER cap_stop_no_delete BEFORE DELETE ON cap_stop
    BEGIN SELECT RAISE(ABORT, 'what was measured is never removed'); END;
CREATE TRIGGER cap_stop_no_replace BEFORE INSERT ON cap_stop
    WHEN EXISTS (SELECT 1 FROM cap_stop WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'what was measured is never replaced'); END;

-- What a customer means to spend in a month. It stops nothing; alerts say when a step is reached.
CREATE TABLE budget (
    budget_id   TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    amount_nano INTEGER NOT NULL CHECK (amount_nano > 0),
    steps       TEXT NOT NULL           -- percent, rising: "50 80 100"
) STRICT;
CREATE INDEX budget_account ON budget (account_id, budget_id);

-- What a customer or the operator must know. One stands for each key at a time; cleared ones stay as history.
CREATE TABLE alert (
    number     INTEGER PRIMARY KEY,
    key        TEXT NOT NULL,           -- what it is about, made by who raises it: "balance wallet ann 20"
    kind       TEXT NOT NULL,           -- balance, lasts, budget, suspended, stopped, deleted, ... (accountd/cap/alerts.h)
    account_id TEXT,                    -- who is told; NULL: the operator only
    subject    TEXT NOT NULL,
    detail     TEXT NOT NULL,
    raised_ms  INTEGER NOT NULL,
    cleared_ms INTEGER                  -- NULL: it stands
) STRICT;
CREATE UNIQUE INDEX alert_stands ON alert (key) WHERE cleared_ms IS NULL;
CREATE INDEX alert_account ON alert (account_id, number);
CREATE INDEX alert_standing ON alert (number) WHERE cleared_ms IS NULL;
CREATE INDEX alert_account_standing ON alert (account_id, number) WHERE cleared_ms IS NULL;
CREATE TRIGGER alert_no_delete BEFORE DELETE ON alert BEGIN SELECT RAISE(ABORT, 'alerts are never removed'); END;
CREATE TRIGGER alert_no_update
    BEFORE UPDATE OF number, key, kind, account_id, subject, detail, raised_ms ON alert
    BEGIN SELECT RAISE(ABORT, 'alerts are never changed'); END;
CREATE TRIGGER alert_clears_once BEFORE UPDATE OF cleared_ms ON alert
    WHEN OLD.cleared_ms IS NOT NULL OR NEW.cleared_ms IS NULL
    BEGIN SELECT RAISE(ABORT, 'an alert is cleared once'); END;
CREATE TRIGGER alert_no_replace BEFORE INSERT ON alert
    WHEN EXISTS (SELECT 1 FROM alert WHERE number = NEW.number)
      OR (NEW.cleared_ms IS NULL AND EXISTS (SELECT 1 FROM alert WHERE key = NEW.key AND cleared_ms IS NULL))
    BEGIN SELECT RAISE(ABORT, 'alerts are never replaced'); END;

-- What a customer writes on a bank transfer (ISO 11649). It follows from the account id; this finds the way back.
CREATE TABLE payment_reference (
    account_id TEXT PRIMARY KEY REFERENCES account (account_id),
    reference  TEXT NOT NULL
) STRICT;
CREATE INDEX payment_reference_text ON payment_reference (reference);
CREATE TRIGGER payment_reference_no_update BEFORE UPDATE ON payment_reference
    BEGIN SELECT RAISE(ABORT, 'a reference that was given out is never changed'); END;
CREATE TRIGGER payment_reference_no_delete BEFORE DELETE ON payment_reference
    BEGIN SELECT RAISE(ABORT, 'a reference that was given out is never removed'); END;
CREATE TRIGGER payment_reference_no_replace BEFORE INSERT ON payment_reference
    WHEN EXISTS (SELECT 1 FROM payment_reference WHERE account_id = NEW.account_id)
    BEGIN SELECT RAISE(ABORT, 'a reference that was given out is never replaced'); END;

-- Files of statements that were imported, with what was answered.
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

-- Money that came from outside: an entry of a bank statement (or one transaction of a batch), or a card payment.
CREATE TABLE receipt (
    number       INTEGER PRIMARY KEY,
    receipt_id   TEXT NOT NULL UNIQUE,
    source       TEXT NOT NULL CHECK (source IN ('bank', 'card')),
    origin       TEXT NOT NULL,         -- the import, or the provider's payment
    statement    TEXT NOT NULL,         -- the bank's id of it
    servicer_ref TEXT NOT NULL,         -- the bank's id of the entry, "" if it gives none
    twin         TEXT NOT NULL,         -- hash of the fields without any id: finds what may be a repetition
    booked_on    TEXT NOT NULL,
    amount_nano  INTEGER NOT NULL CHECK (amount_nano >= 0),
    currency     TEXT NOT NULL,
    payer        TEXT NOT NULL,
    payer_iban   TEXT NOT NULL,
    text         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('credited', 'suspense', 'ignored')),
    why          TEXT NOT NULL,         -- it is in suspense, or was ignored; ""
    account_id   TEXT REFERENCES account (account_id),
    transfer_id  TEXT UNIQUE REFERENCES transfer (transfer_id),
    at_ms        INTEGER NOT NULL,
    CHECK ((state = 'credited') = (account_id IS NOT NULL)),
    CHECK ((state = 'ignored') = (transfer_id IS NULL))
) STRICT;
CREATE INDEX receipt_twin ON receipt (twin, statement);
CREATE INDEX receipt_state ON receipt (state, number);
CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts are never changed'); END;
CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts are never removed'); END;

-- What became of a receipt in suspense.
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

-- The provider's events, each once.
CREATE TABLE payment_event (
    provider      TEXT NOT NULL,
    event_id      TEXT NOT NULL,
    type          TEXT NOT NULL,
    receipt_id    TEXT,                 -- the payment that it speaks of, come or not
    refunded_nano INTEGER NOT NULL,     -- in all, as of this event
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

-- What refunds and disputes took back of a receipt, by the event that made it due.
CREATE TABLE payment_taking (
    receipt_id   TEXT NOT NULL REFERENCES receipt (receipt_id),
    event_id     TEXT NOT NULL,
    taken_nano   INTEGER NOT NULL CHECK (taken_nano >= 0),
    carried_nano INTEGER NOT NULL CHECK (carried_nano >= 0),    -- of taken_nano: the wallet did not have it, the host paid
    at_ms        INTEGER NOT NULL,
    PRIMARY KEY (receipt_id, event_id)
) STRICT;
CREATE TRIGGER payment_taking_no_update BEFORE UPDATE ON payment_taking
    BEGIN SELECT RAISE(ABORT, 'what was taken back stays so'); END;
CREATE TRIGGER payment_taking_no_delete BEFORE DELETE ON payment_taking
    BEGIN SELECT RAISE(ABORT, 'what was taken back stays so'); END;

-- Vouchers; a code is derived from its id by the voucher key, only its SHA-256 is here.
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
-- What each month has come to, in the meters' finest units: of all records that are charged, and of those an invoice
-- covers. These five follow from the log; they are kept so that charging and invoicing need not read it.
CREATE TABLE meter_sum (
    account_id TEXT NOT NULL REFERENCES account (account_id),
    origin     TEXT NOT NULL,
    period     TEXT NOT NULL,
    price_book INTEGER NOT NULL,
    meter      TEXT NOT NULL,
    quantity   TEXT NOT NULL,           -- decimal: 128 bits
    invoiced   TEXT NOT NULL DEFAULT '0',
    PRIMARY KEY (account_id, origin, period, price_book, meter)
) STRICT, WITHOUT ROWID;

-- Where an account's month begins in the log.
CREATE TABLE period_start (
    account_id TEXT NOT NULL REFERENCES account (account_id),
    origin     TEXT NOT NULL,
    period     TEXT NOT NULL,
    first_idx  INTEGER NOT NULL,
    PRIMARY KEY (account_id, origin, period)
) STRICT, WITHOUT ROWID;

-- What is charged and not invoiced yet: a row an account, and what each instance and incarnation had of it.
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

-- What customers say of themselves for their invoices (accountd/party.h). The newest version holds.
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
CREATE TRIGGER account_detail_no_replace BEFORE INSERT ON account_detail
    WHEN EXISTS (SELECT 1 FROM account_detail WHERE account_id = NEW.account_id AND version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'what a customer said is never replaced: add a version'); END;


-- CAdES signatures of bundles: ECDSA makes another each time, so the first is kept.
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
CREATE TRIGGER invoice_cades_no_replace BEFORE INSERT ON invoice_cades
    WHEN EXISTS (SELECT 1 FROM invoice_cades WHERE invoice_id = NEW.invoice_id AND file = NEW.file)
    BEGIN SELECT RAISE(ABORT, 'a signature that was given out is never replaced'); END;

-- What each instance used of each meter on each day: added to by the transaction that charges, so that a summary costs its
-- rows and not its records. All of it follows from the log.
CREATE TABLE day_sum (
    account_id   TEXT NOT NULL REFERENCES account (account_id),
    day          INTEGER NOT NULL,      -- in which the record begins, UTC: days since 1970-01-01
    instance_id  TEXT NOT NULL,
    meter        TEXT NOT NULL,
    quantity     TEXT NOT NULL,         -- 128 bits
    charged_nano INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, instance_id, meter)
) STRICT, WITHOUT ROWID;
CREATE INDEX day_sum_instance ON day_sum (account_id, instance_id);

-- Nor is what came from outside replaced.
CREATE TRIGGER bank_import_no_replace BEFORE INSERT ON bank_import
    WHEN EXISTS (SELECT 1 FROM bank_import WHERE import_id = NEW.import_id)
    BEGIN SELECT RAISE(ABORT, 'imports are never replaced'); END;
CREATE TRIGGER receipt_no_replace BEFORE INSERT ON receipt
    WHEN EXISTS (SELECT 1 FROM receipt WHERE receipt_id = NEW.receipt_id OR transfer_id = NEW.transfer_id OR number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'receipts are never replaced'); END;
CREATE TRIGGER receipt_end_no_replace BEFORE INSERT ON receipt_end
    WHEN EXISTS (SELECT 1 FROM receipt_end WHERE receipt_id = NEW.receipt_id OR transfer_id = NEW.transfer_id)
    BEGIN SELECT RAISE(ABORT, 'what was assigned or returned stays so'); END;
CREATE TRIGGER payment_event_no_replace BEFORE INSERT ON payment_event
    WHEN EXISTS (SELECT 1 FROM payment_event WHERE provider = NEW.provider AND event_id = NEW.event_id)
    BEGIN SELECT RAISE(ABORT, 'events are never replaced'); END;
CREATE TRIGGER payment_taking_no_replace BEFORE INSERT ON payment_taking
    WHEN EXISTS (SELECT 1 FROM payment_taking WHERE receipt_id = NEW.receipt_id AND event_id = NEW.event_id)
    BEGIN SELECT RAISE(ABORT, 'what was taken back stays so'); END;
CREATE TRIGGER voucher_no_replace BEFORE INSERT ON voucher
    WHEN EXISTS (SELECT 1 FROM voucher WHERE voucher_id = NEW.voucher_id OR code_hash = NEW.code_hash)
    BEGIN SELECT RAISE(ABORT, 'vouchers are never replaced'); END;
CREATE TRIGGER voucher_redemption_no_replace BEFORE INSERT ON voucher_redemption
    WHEN EXISTS (SELECT 1 FROM voucher_redemption WHERE voucher_id = NEW.voucher_id OR transfer_id = NEW.transfer_id)
    BEGIN SELECT RAISE(ABORT, 'a voucher is redeemed once'); END;

-- Disputes: what a customer says against an invoice, the evidence of that moment, and how it ended.
CREATE TABLE dispute (
    number      INTEGER PRIMARY KEY,
    dispute_id  TEXT NOT NULL UNIQUE,
    account_id  TEXT NOT NULL REFERENCES account (account_id),
    invoice_id  TEXT NOT NULL REFERENCES invoice (invoice_id),
    line        INTEGER NOT NULL CHECK (line >= 0),   -- 0: all of the invoice
    request     TEXT NOT NULL,          -- what was asked, canonical JSON: asking again must say the same
    opened_ms   INTEGER NOT NULL,
    document    TEXT NOT NULL,          -- the evidence (accountd/dispute/evidence.h), canonical JSON
    minisig     TEXT NOT NULL           -- of it, by the invoice key of then
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
