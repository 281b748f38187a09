-- Disks, snapshots, networks, forwarded ports; a job may be about a volume.
ALTER TABLE job ADD COLUMN volume_id TEXT NOT NULL DEFAULT '';

CREATE TABLE volume (
    volume_id     TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    name          TEXT NOT NULL,
    size_mib      INTEGER NOT NULL CHECK (size_mib > 0),
    image         TEXT NOT NULL,
    snapshot_id   TEXT NOT NULL,
    instance_id   TEXT REFERENCES instance (instance_id),
    device        INTEGER NOT NULL CHECK ((device > 0) = (instance_id IS NOT NULL)),
    read_only     INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    root          INTEGER NOT NULL CHECK (root IN (0, 1)),
    state         TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting', 'deleted')),
    request       TEXT NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX volume_device ON volume (instance_id, device) WHERE instance_id IS NOT NULL;
CREATE INDEX volume_account ON volume (account_id, created_ms, volume_id) WHERE state <> 'deleted';

CREATE TABLE snapshot (
    snapshot_id   TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    volume_id     TEXT NOT NULL REFERENCES volume (volume_id),
    name          TEXT NOT NULL,
    size_mib      INTEGER NOT NULL CHECK (size_mib > 0),
    state         TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting', 'deleted')),
    request       TEXT NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX snapshot_account ON snapshot (account_id, created_ms, snapshot_id) WHERE state <> 'deleted';

CREATE TABLE network (
    network_id    TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL UNIQUE,
    number        INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 254),
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE nic (
    instance_id   TEXT PRIMARY KEY REFERENCES instance (instance_id),
    network_id    TEXT NOT NULL REFERENCES network (network_id),
    host          INTEGER NOT NULL CHECK (host BETWEEN 2 AND 254),
    mac           TEXT NOT NULL UNIQUE,
    UNIQUE (network_id, host)
) STRICT;

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

CREATE TABLE seed (
    instance_id   TEXT PRIMARY KEY REFERENCES instance (instance_id),
    ssh_keys      TEXT NOT NULL,
    user_data     TEXT NOT NULL
) STRICT;
