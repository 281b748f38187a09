-- What came after 0010 and is only ever added refuses REPLACE too. What measured the cap, who pays for an incarnation
-- and what a customer writes on a transfer are never changed either; an alert is cleared, once.

CREATE TRIGGER price_proposal_no_replace BEFORE INSERT ON price_proposal
    WHEN EXISTS (SELECT 1 FROM price_proposal WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a proposed price book is never replaced'); END;
CREATE TRIGGER price_decision_no_replace BEFORE INSERT ON price_decision
    WHEN EXISTS (SELECT 1 FROM price_decision WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a decision about a price book is never replaced'); END;
CREATE TRIGGER price_signature_no_replace BEFORE INSERT ON price_signature
    WHEN EXISTS (SELECT 1 FROM price_signature WHERE version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a price book''s signature is never replaced'); END;
CREATE TRIGGER account_detail_no_replace BEFORE INSERT ON account_detail
    WHEN EXISTS (SELECT 1 FROM account_detail WHERE account_id = NEW.account_id AND version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'what a customer said is never replaced: add a version'); END;
CREATE TRIGGER invoice_cades_no_replace BEFORE INSERT ON invoice_cades
    WHEN EXISTS (SELECT 1 FROM invoice_cades WHERE invoice_id = NEW.invoice_id AND file = NEW.file)
    BEGIN SELECT RAISE(ABORT, 'a signature that was given out is never replaced'); END;

CREATE TRIGGER registration_no_update
    BEFORE UPDATE OF incarnation, instance_id, domain_uuid, vcpus, memory_mib, price_book, at_ms ON registration
    BEGIN SELECT RAISE(ABORT, 'who pays for an incarnation is never changed'); END;
CREATE TRIGGER registration_no_delete BEFORE DELETE ON registration
    BEGIN SELECT RAISE(ABORT, 'registrations are never removed'); END;
CREATE TRIGGER registration_no_replace BEFORE INSERT ON registration
    WHEN EXISTS (SELECT 1 FROM registration WHERE incarnation = NEW.incarnation)
    BEGIN SELECT RAISE(ABORT, 'registrations are never replaced'); END;

CREATE TRIGGER cap_event_no_update BEFORE UPDATE ON cap_event
    BEGIN SELECT RAISE(ABORT, 'what was measured is never changed'); END;
CREATE TRIGGER cap_event_no_delete BEFORE DELETE ON cap_event
    BEGIN SELECT RAISE(ABORT, 'what was measured is never removed'); END;
CREATE TRIGGER cap_event_no_replace BEFORE INSERT ON cap_event
    WHEN EXISTS (SELECT 1 FROM cap_event WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'what was measured is never replaced'); END;
CREATE TRIGGER cap_stop_no_update BEFORE UPDATE ON cap_stop
    BEGIN SELECT RAISE(ABORT, 'what was measured is never changed'); END;
CREATE TRIGGER cap_stop_no_delete BEFORE DELETE ON cap_stop
    BEGIN SELECT RAISE(ABORT, 'what was measured is never removed'); END;
CREATE TRIGGER cap_stop_no_replace BEFORE INSERT ON cap_stop
    WHEN EXISTS (SELECT 1 FROM cap_stop WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'what was measured is never replaced'); END;

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

CREATE TRIGGER payment_reference_no_update BEFORE UPDATE ON payment_reference
    BEGIN SELECT RAISE(ABORT, 'a reference that was given out is never changed'); END;
CREATE TRIGGER payment_reference_no_delete BEFORE DELETE ON payment_reference
    BEGIN SELECT RAISE(ABORT, 'a reference that was given out is never removed'); END;
CREATE TRIGGER payment_reference_no_replace BEFORE INSERT ON payment_reference
    WHEN EXISTS (SELECT 1 FROM payment_reference WHERE account_id = NEW.account_id)
    BEGIN SELECT RAISE(ABORT, 'a reference that was given out is never replaced'); END;
