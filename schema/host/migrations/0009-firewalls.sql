-- What a guest's owner lets in and out, until the instance is deleted. No row: everything, as far as the host allows it.
CREATE TABLE firewall (
    instance_id   TEXT PRIMARY KEY REFERENCES instance (instance_id),
    body          TEXT NOT NULL               -- canonical JSON, as provisioner/firewall.h takes it
) STRICT;

-- The instance's, as its states are.
CREATE TRIGGER firewall_made AFTER INSERT ON firewall
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'firewall_changed', '', ''); END;
CREATE TRIGGER firewall_changed AFTER UPDATE OF body ON firewall WHEN NEW.body <> OLD.body
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'firewall_changed', '', ''); END;
