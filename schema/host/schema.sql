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
    started_ms    INTEGER NOT NULL            -- 0: never
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
    finished_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX job_unfinished ON job (number) WHERE status IN ('queued', 'running');
CREATE INDEX job_instance ON job (instance_id, number);
