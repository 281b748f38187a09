CREATE TABLE instance (
    instance_id   TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    name          TEXT NOT NULL,
    image         TEXT NOT NULL,
    flavor        TEXT NOT NULL,
    cmdline       TEXT NOT NULL,
    vcpus         INTEGER NOT NULL CHECK (vcpus > 0),
    memory_mib    INTEGER NOT NULL CHECK (memory_mib > 0),
    weight        INTEGER NOT NULL CHECK (weight > 0),
    cap_percent   INTEGER NOT NULL CHECK (cap_percent >= 0),
    domain_uuid   BLOB NOT NULL UNIQUE CHECK (length(domain_uuid) = 16),
    state         TEXT NOT NULL,
    desired_state TEXT NOT NULL,
    state_reason  TEXT NOT NULL,
    domid         INTEGER NOT NULL,
    incarnation   TEXT NOT NULL,
    boot_id       TEXT NOT NULL,
    console_start INTEGER NOT NULL,
    quick_reboots INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE job (
    job_id        TEXT PRIMARY KEY,
    number        INTEGER NOT NULL UNIQUE,
    instance_id   TEXT NOT NULL REFERENCES instance (instance_id),
    type          TEXT NOT NULL,
    request       TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    step          INTEGER NOT NULL CHECK (step >= 0),
    undoing       INTEGER NOT NULL CHECK (undoing IN (0, 1)),
    failed_step   INTEGER NOT NULL,
    error_code    TEXT NOT NULL,
    error_detail  TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL,
    finished_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX job_unfinished ON job (number) WHERE status IN ('queued', 'running');
CREATE INDEX job_instance ON job (instance_id, number);
