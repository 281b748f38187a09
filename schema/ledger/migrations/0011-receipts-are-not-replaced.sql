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
