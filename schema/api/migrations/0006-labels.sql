-- What a customer may change of an instance without anything happening to it.
ALTER TABLE instances ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';                 -- a JSON object of texts
ALTER TABLE instances ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;               -- of name and labels
CREATE TRIGGER instances_event_changed AFTER UPDATE OF revision ON instances WHEN NEW.revision <> OLD.revision
    BEGIN INSERT INTO events (account_id, at_ms, type, object, scope, data)
        VALUES (NEW.account_id, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'instance.changed',
                NEW.instance_id, 2, json_object('name', NEW.name, 'labels', json(NEW.labels))); END;
