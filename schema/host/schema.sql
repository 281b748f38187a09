-- host.db: the guests of this host and what is being done to them.
-- Only the provisioner reads and writes it. Today's shape; migrations/ leads to it.

-- A customer's machine. The row is there before its domain and stays, as "deleted", after it.
CREATE TABLE instance (
    instance_id   TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    name          TEXT NOT NULL,
    image         TEXT NOT NULL,
    flavor        TEXT NOT NULL,
    cmdline       TEXT NOT NULL,              -- appended to the image's; may be empty
    -- The flavour as it was when the instance was made: a new catalogue changes nothing that runs.
    vcpus         INTEGER NOT NULL CHECK (vcpus > 0),
    memory_mib    INTEGER NOT NULL CHECK (memory_mib > 0),
    weight        INTEGER NOT NULL CHECK (weight > 0),
    cap_percent   INTEGER NOT NULL CHECK (cap_percent >= 0),
    -- Stored before the domain is created, so that a creation cut short is found again.
    domain_uuid   BLOB NOT NULL UNIQUE CHECK (length(domain_uuid) = 16),
    state         TEXT NOT NULL,              -- as provisioner/control.h lists them
    desired_state TEXT NOT NULL,
    state_reason  TEXT NOT NULL,
    domid         INTEGER NOT NULL,           -- 0: no domain
    incarnation   TEXT NOT NULL,              -- 32 hex digits, the last one registered with accountd
    boot_id       TEXT NOT NULL,              -- the hypervisor's, when the domain was made
    console_start INTEGER NOT NULL,           -- the console log's size when this incarnation began
    quick_reboots INTEGER NOT NULL,           -- in a row, each soon after the start
    created_ms    INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL,           -- 0: never
    -- The flavour's, too: "OPS_PER_S BYTES_PER_S BURST_MS" of all its disks, of all its NICs; empty: not limited.
    disk_limit    TEXT NOT NULL DEFAULT '',
    net_limit     TEXT NOT NULL DEFAULT '',
    purchase_order_id TEXT NOT NULL DEFAULT '',      -- which pays for it; empty: the account's wallet
    unpaid        INTEGER NOT NULL DEFAULT 0 CHECK (unpaid IN (0, 1)),      -- accountd's word: may not run. The control thread's alone
    barred        INTEGER NOT NULL DEFAULT 0 CHECK (barred IN (0, 1))       -- it is an operator's word, not money's
) STRICT;

-- Rows of deleted instances stay; what lists and reconciles must not read them all.
CREATE INDEX instance_live ON instance (created_ms, instance_id) WHERE state <> 'deleted';

-- One change to one instance. Its steps are the rows of a table in provisioner/job.c.
CREATE TABLE job (
    job_id        TEXT PRIMARY KEY,
    number        INTEGER NOT NULL UNIQUE,    -- order of arrival
    instance_id   TEXT NOT NULL REFERENCES instance (instance_id),
    type          TEXT NOT NULL,
    request       TEXT NOT NULL,              -- canonical JSON: the same id with another request is a conflict
    status        TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    step          INTEGER NOT NULL CHECK (step >= 0),     -- the first one not known to be done (undoing: to be undone)
    undoing       INTEGER NOT NULL CHECK (undoing IN (0, 1)),
    failed_step   INTEGER NOT NULL,           -- -1: none
    error_code    TEXT NOT NULL,
    error_detail  TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL,
    finished_ms   INTEGER NOT NULL,
    volume_id     TEXT NOT NULL DEFAULT '',   -- what is attached, detached, grown; empty for other types
    incarnation   TEXT NOT NULL DEFAULT ''    -- the one that it began, 32 hex digits
) STRICT;

CREATE INDEX job_unfinished ON job (number) WHERE status IN ('queued', 'running');
CREATE INDEX job_instance ON job (instance_id, number);

-- A disk. The row is there before its file and stays, as "deleted", after it.
CREATE TABLE volume (
    volume_id     TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    name          TEXT NOT NULL,
    size_mib      INTEGER NOT NULL CHECK (size_mib > 0),
    image         TEXT NOT NULL,              -- what it began as a copy of; empty: nothing
    snapshot_id   TEXT NOT NULL,
    -- Whose it is now. Taken when the attachment is asked for, so that no second one is promised the same.
    instance_id   TEXT REFERENCES instance (instance_id),
    device        INTEGER NOT NULL CHECK ((device > 0) = (instance_id IS NOT NULL)),   -- Xen's number: 51712 is xvda
    read_only     INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    root          INTEGER NOT NULL CHECK (root IN (0, 1)),     -- made with its instance and deleted with it
    state         TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting', 'deleted')),
    request       TEXT NOT NULL,              -- canonical JSON: the same id with another request is a conflict
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX volume_device ON volume (instance_id, device) WHERE instance_id IS NOT NULL;
CREATE INDEX volume_account ON volume (account_id, created_ms, volume_id) WHERE state <> 'deleted';

-- A volume as it was at one instant.
CREATE TABLE snapshot (
    snapshot_id   TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    volume_id     TEXT NOT NULL REFERENCES volume (volume_id),     -- which may be deleted by now
    name          TEXT NOT NULL,
    size_mib      INTEGER NOT NULL CHECK (size_mib > 0),
    state         TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting', 'deleted')),
    request       TEXT NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX snapshot_account ON snapshot (account_id, created_ms, snapshot_id) WHERE state <> 'deleted';

-- An account's own: bridge xsbrNUMBER, 10.77.NUMBER.0/24.
CREATE TABLE network (
    network_id    TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL UNIQUE,
    number        INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 254),
    created_ms    INTEGER NOT NULL
) STRICT;

-- An instance's place in its account's network, until the instance is deleted.
CREATE TABLE nic (
    instance_id   TEXT PRIMARY KEY REFERENCES instance (instance_id),
    network_id    TEXT NOT NULL REFERENCES network (network_id),
    host          INTEGER NOT NULL CHECK (host BETWEEN 2 AND 254),      -- the last byte of its address
    mac           TEXT NOT NULL UNIQUE,
    UNIQUE (network_id, host)
) STRICT;

-- A TCP port of the host that leads to a guest's.
CREATE TABLE forward (
    forward_id    TEXT PRIMARY KEY,
    instance_id   TEXT NOT NULL REFERENCES instance (instance_id),
    guest_port    INTEGER NOT NULL CHECK (guest_port BETWEEN 1 AND 65535),
    port          INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    deleted       INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX forward_port ON forward (port) WHERE deleted = 0;
CREATE INDEX forward_instance ON forward (instance_id) WHERE deleted = 0;

-- What the customer wants the guest to know at its first boot.
CREATE TABLE seed (
    instance_id   TEXT PRIMARY KEY REFERENCES instance (instance_id),
    ssh_keys      TEXT NOT NULL,              -- JSON: a list of lines
    user_data     TEXT NOT NULL               -- may be empty
) STRICT;

-- What a guest's owner lets in and out, until the instance is deleted. No row: everything, as far as the host allows it.
CREATE TABLE firewall (
    instance_id   TEXT PRIMARY KEY REFERENCES instance (instance_id),
    body          TEXT NOT NULL               -- canonical JSON, as provisioner/firewall.h takes it
) STRICT;

-- What became of instances and jobs, in order, for who follows them. The triggers write it, so that no way of changing
-- a state can forget to. The newest 100,000 are kept.
CREATE TABLE change (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,  -- without holes
    at_ms         INTEGER NOT NULL,
    instance_id   TEXT NOT NULL,
    job_id        TEXT NOT NULL,              -- empty: it is the instance's own state
    state         TEXT NOT NULL,              -- of the instance ("created" at first), or the job's status
    code          TEXT NOT NULL,              -- of a job's error; may be empty
    detail        TEXT NOT NULL,              -- state_reason, or of a job's error; may be empty
    -- Of a volume, a snapshot or a forward: its state is what happened, created, ready, attached, detached, resized, deleted.
    subject_id    TEXT NOT NULL DEFAULT '',   -- else empty
    account_id    TEXT NOT NULL DEFAULT '',   -- with it: a row may be gone when its change is read; empty: the instance's
    name          TEXT NOT NULL DEFAULT ''    -- likewise
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

-- The instance's, as its states are.
CREATE TRIGGER firewall_made AFTER INSERT ON firewall
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'firewall_changed', '', ''); END;
CREATE TRIGGER firewall_changed AFTER UPDATE OF body ON firewall WHEN NEW.body <> OLD.body
    BEGIN INSERT INTO change (at_ms, instance_id, job_id, state, code, detail)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.instance_id, '', 'firewall_changed', '', ''); END;
