CREATE TABLE price_proposal (
    version  INTEGER PRIMARY KEY,
    body     TEXT NOT NULL,
    operator TEXT NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;
CREATE TRIGGER price_proposal_no_update BEFORE UPDATE ON price_proposal
    BEGIN SELECT RAISE(ABORT, 'a proposed price book is never changed'); END;
CREATE TRIGGER price_proposal_no_delete BEFORE DELETE ON price_proposal
    BEGIN SELECT RAISE(ABORT, 'a proposed price book is never removed'); END;
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
CREATE TRIGGER price_book_was_decided BEFORE INSERT ON price_book WHEN EXISTS (SELECT 1 FROM price_book) BEGIN
    SELECT RAISE(ABORT, 'a price book is published by two operators')
    WHERE NOT EXISTS (SELECT 1 FROM price_proposal p JOIN price_decision d USING (version)
                      WHERE p.version = NEW.version AND p.body = NEW.body AND d.outcome = 'published');
END;
CREATE TABLE price_signature (
    version INTEGER PRIMARY KEY REFERENCES price_book (version),
    minisig TEXT NOT NULL
) STRICT;
CREATE TRIGGER price_signature_no_update BEFORE UPDATE ON price_signature
    BEGIN SELECT RAISE(ABORT, 'a price book''s signature is never changed'); END;
CREATE TRIGGER price_signature_no_delete BEFORE DELETE ON price_signature
    BEGIN SELECT RAISE(ABORT, 'a price book''s signature is never removed'); END;
