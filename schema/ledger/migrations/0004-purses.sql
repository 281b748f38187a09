-- Purchase orders, each with a purse that instances are paid from; holds that expire by themselves.

ALTER TABLE account ADD COLUMN owner TEXT REFERENCES account (account_id);      -- whose purse it is; NULL for any other
CREATE INDEX account_owner ON account (owner) WHERE owner IS NOT NULL;

ALTER TABLE transfer ADD COLUMN expires_ms INTEGER CHECK (expires_ms IS NULL OR kind = 'pending');
-- Holds in force that end by themselves.
CREATE TABLE expiring (
    transfer_id TEXT PRIMARY KEY REFERENCES transfer (transfer_id),
    expires_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX expiring_when ON expiring (expires_ms);
CREATE TRIGGER transfer_expires AFTER INSERT ON transfer WHEN NEW.expires_ms IS NOT NULL BEGIN
    INSERT INTO expiring VALUES (NEW.transfer_id, NEW.expires_ms);
END;
DROP TRIGGER transfer_ends_hold;
CREATE TRIGGER transfer_ends_hold BEFORE INSERT ON transfer WHEN NEW.pending_id IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'not a hold of these accounts, or not the amount it holds')
    WHERE NOT EXISTS (SELECT 1 FROM transfer p WHERE p.transfer_id = NEW.pending_id AND p.kind = 'pending'
                      AND p.debit = NEW.debit AND p.credit = NEW.credit
                      AND (NEW.amount_nano = p.amount_nano OR NEW.kind = 'post' AND NEW.amount_nano < p.amount_nano));
    UPDATE balance SET held_nano = held_nano - (SELECT amount_nano FROM transfer WHERE transfer_id = NEW.pending_id)
    WHERE account_id = NEW.debit;
    DELETE FROM expiring WHERE transfer_id = NEW.pending_id;
END;

ALTER TABLE instance ADD COLUMN payer TEXT REFERENCES account (account_id);     -- a purse; NULL: the account's wallet
CREATE INDEX instance_payer ON instance (payer) WHERE payer IS NOT NULL;

-- Money set aside for a project. Its purse is the account "po:" and its id.
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
) STRICT;
CREATE INDEX purchase_order_account ON purchase_order (account_id, po_id);
CREATE INDEX purchase_order_end ON purchase_order (end_ms) WHERE end_ms IS NOT NULL AND closed_ms IS NULL;
