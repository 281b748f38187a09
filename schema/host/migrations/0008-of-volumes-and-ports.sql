-- Changes of volumes, snapshots and forwarded ports, beside those of instances and jobs. Their state is what happened:
-- created, ready, attached, detached, resized, deleted. A row may be gone when its change is read, so its change says whose it was.
ALTER TABLE change ADD COLUMN subject_id TEXT NOT NULL DEFAULT '';     -- of the volume, snapshot or forward; else empty
ALTER TABLE change ADD COLUMN account_id TEXT NOT NULL DEFAULT '';     -- with it; empty: the instance's
ALTER TABLE change ADD COLUMN name TEXT NOT NULL DEFAULT '';           -- likewise

CREATE TRIGGER volume_created AFTER INSERT ON volume
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), coalesce(NEW.instance_id, ''), '', 'created', '', '',
                NEW.volume_id, NEW.account_id, NEW.name); END;
CREATE TRIGGER volume_made AFTER UPDATE OF state ON volume WHEN NEW.state <> OLD.state AND NEW.state IN ('ready', 'deleting')
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), coalesce(NEW.instance_id, ''), '',
                CASE NEW.state WHEN 'ready' THEN 'ready' ELSE 'deleted' END, '', '', NEW.volume_id, NEW.account_id, NEW.name); END;
CREATE TRIGGER volume_moved AFTER UPDATE OF instance_id ON volume
    WHEN coalesce(NEW.instance_id, '') <> coalesce(OLD.instance_id, '') AND NEW.state IN ('creating', 'ready')
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), coalesce(NEW.instance_id, OLD.instance_id), '',
                CASE WHEN NEW.instance_id IS NULL THEN 'detached' ELSE 'attached' END, '', '', NEW.volume_id, NEW.account_id,
                NEW.name); END;
CREATE TRIGGER volume_resized AFTER UPDATE OF size_mib ON volume WHEN NEW.size_mib <> OLD.size_mib
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), coalesce(NEW.instance_id, ''), '', 'resized', '', '',
                NEW.volume_id, NEW.account_id, NEW.name); END;
CREATE TRIGGER volume_dropped AFTER DELETE ON volume
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), '', '', 'deleted', '', '', OLD.volume_id, OLD.account_id,
                OLD.name); END;

CREATE TRIGGER snapshot_created AFTER INSERT ON snapshot
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), '', '', 'created', '', '', NEW.snapshot_id, NEW.account_id,
                NEW.name); END;
CREATE TRIGGER snapshot_deleted AFTER UPDATE OF state ON snapshot WHEN NEW.state = 'deleting' AND OLD.state <> 'deleting'
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), '', '', 'deleted', '', '', NEW.snapshot_id, NEW.account_id,
                NEW.name); END;
CREATE TRIGGER snapshot_dropped AFTER DELETE ON snapshot
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id, account_id, name)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), '', '', 'deleted', '', '', OLD.snapshot_id, OLD.account_id,
                OLD.name); END;

CREATE TRIGGER forward_created AFTER INSERT ON forward
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'created', '', '', NEW.forward_id); END;
CREATE TRIGGER forward_deleted AFTER UPDATE OF deleted ON forward WHEN NEW.deleted AND NOT OLD.deleted
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail, subject_id)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'deleted', '', '', NEW.forward_id); END;
