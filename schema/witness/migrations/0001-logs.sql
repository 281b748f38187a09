-- What this witness has cosigned.

-- One row for each log: the newest head that was cosigned.
CREATE TABLE log (
    origin TEXT PRIMARY KEY,
    size   INTEGER NOT NULL CHECK (size >= 0),
    root   BLOB NOT NULL CHECK (length(root) = 32),
    note   TEXT NOT NULL                -- the checkpoint with the log's own signatures
) STRICT;

-- Heads that contradict one that was cosigned: signed by the log, of the same size, with another root.
CREATE TABLE fork (
    origin    TEXT NOT NULL,
    note      TEXT NOT NULL,
    cosigned  TEXT NOT NULL,            -- the checkpoint that it contradicts
    at_s      INTEGER NOT NULL,
    PRIMARY KEY (origin, note)
) STRICT;
CREATE TRIGGER fork_no_update BEFORE UPDATE ON fork BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER fork_no_delete BEFORE DELETE ON fork BEGIN SELECT RAISE(ABORT, 'evidence is never removed'); END;
