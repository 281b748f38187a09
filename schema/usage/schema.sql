-- usage.db: the usage log and what is open in it. One writer: accountd.
-- This is today's shape; migrations/ lead to it.

-- Facts about this log: origin, boot (the last boot id seen), ledger_entries (the newest of ledger.db at the newest head).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- The log's leaves, exact bytes. Entries are only ever added.
CREATE TABLE leaf (
    idx         INTEGER PRIMARY KEY,    -- position in the tree, from 0 without holes
    type        TEXT NOT NULL,
    account     TEXT,                   -- NULL: about the host, not about a domain
    instance    TEXT,
    incarnation TEXT,
    number      INTEGER,
    bytes       TEXT NOT NULL,
    hash        BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE UNIQUE INDEX leaf_chain ON leaf (incarnation, number) WHERE incarnation IS NOT NULL;
CREATE INDEX leaf_account ON leaf (account, idx) WHERE account IS NOT NULL;
CREATE INDEX leaf_instance ON leaf (account, instance, idx) WHERE account IS NOT NULL;
CREATE INDEX leaf_host ON leaf (type, idx) WHERE account IS NULL;
CREATE TRIGGER leaf_no_update BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT, 'leaves are never changed'); END;
CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT, 'leaves are never removed'); END;

-- Hashes of complete subtrees above the leaves, so that heads and proofs need O(log n) reads.
CREATE TABLE node (
    level INTEGER NOT NULL CHECK (level > 0),
    idx   INTEGER NOT NULL,
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- Signed heads. One size has one head, for ever.
CREATE TABLE head (
    size  INTEGER PRIMARY KEY,
    note  TEXT NOT NULL,                -- the C2SP checkpoint
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER head_no_update BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT, 'heads are never changed'); END;
CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'heads are never removed'); END;

-- One row for each incarnation that has a leaf; its newest leaf holds its counters.
CREATE TABLE incarnation (
    incarnation TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    instance    TEXT NOT NULL,
    slot        INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'ended', 'freed', 'lost'))
) STRICT;
CREATE INDEX incarnation_instance ON incarnation (account, instance);
CREATE INDEX incarnation_open ON incarnation (state) WHERE state IN ('open', 'ended');

-- Cosignatures of heads (C2SP tlog-cosignature): the newest line of each witness for a size.
CREATE TABLE cosignature (
    size    INTEGER NOT NULL REFERENCES head (size),
    witness TEXT NOT NULL,              -- the key's name
    line    TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (size, witness)
) STRICT, WITHOUT ROWID;
