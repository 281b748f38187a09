-- REPLACE takes a row away without asking the triggers that refuse DELETE: what is only ever added refuses it by itself.

CREATE TRIGGER account_no_replace BEFORE INSERT ON account
    WHEN EXISTS (SELECT 1 FROM account WHERE account_id = NEW.account_id)
    BEGIN SELECT RAISE(ABORT, 'accounts are never replaced'); END;
CREATE TRIGGER transfer_no_replace BEFORE INSERT ON transfer
    WHEN EXISTS (SELECT 1 FROM transfer WHERE transfer_id = NEW.transfer_id)
      OR EXISTS (SELECT 1 FROM transfer WHERE seq = NEW.seq)
      OR EXISTS (SELECT 1 FROM transfer WHERE pending_id = NEW.pending_id)
    BEGIN SELECT RAISE(ABORT, 'transfers are never replaced, and a hold ends once'); END;
CREATE TRIGGER price_book_no_replace BEFORE INSERT ON price_book
    WHEN EXISTS (SELECT 1 FROM price_book WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a published price book is never replaced'); END;
CREATE TRIGGER invoice_no_replace BEFORE INSERT ON invoice
    WHEN EXISTS (SELECT 1 FROM invoice WHERE number = NEW.number OR invoice_id = NEW.invoice_id)
    BEGIN SELECT RAISE(ABORT, 'invoices are never replaced'); END;
