-- What became of instances and jobs, in order, for who follows them. The triggers write it, so that no way of changing
-- a state can forget to. The newest 100,000 are kept.
CREATE TABLE change (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,  -- without holes
    at_ms         INTEGER NOT NULL,
    instance_id   TEXT NOT NULL,
    job_id        TEXT NOT NULL,              -- empty: it is the instance's own state
    state         TEXT NOT NULL,              -- of the instance ("created" at first), or the job's status
    code          TEXT NOT NULL,              -- of a job's error; may be empty
    detail        TEXT NOT NULL               -- state_reason, or of a job's error; may be empty
) STRICT;

CREATE TRIGGER change_keep AFTER INSERT ON change
    BEGIN DELETE FROM change WHERE number <= NEW.number - 100000; END;
CREATE TRIGGER instance_created AFTER INSERT ON instance
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'created', '', ''); END;
-- The state as it is shown: who must not run for want of money is neither running nor suspended.
CREATE TRIGGER instance_changed AFTER UPDATE OF state, unpaid ON instance
    WHEN CASE WHEN NEW.unpaid AND NEW.state IN ('running', 'suspended') THEN 'billing_suspended' ELSE NEW.state END
      <> CASE WHEN OLD.unpaid AND OLD.state IN ('running', 'suspended') THEN 'billing_suspended' ELSE OLD.state END
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '',
                CASE WHEN NEW.unpaid AND NEW.state IN ('running', 'suspended') THEN 'billing_suspended' ELSE NEW.state END,
                '', NEW.state_reason); END;
CREATE TRIGGER job_created AFTER INSERT ON job
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, NEW.job_id, NEW.status, '', ''); END;
CREATE TRIGGER job_changed AFTER UPDATE OF status ON job WHEN NEW.status <> OLD.status
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, NEW.job_id, NEW.status,
                NEW.error_code, NEW.error_detail); END;
