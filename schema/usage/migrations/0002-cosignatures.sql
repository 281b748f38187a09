-- What witnesses signed, and the host's own leaves found without reading all.

-- Cosignatures of heads (C2SP tlog-cosignature): the newest line of each witness for a size.
CREATE TABLE cosignature (
    size    INTEGER NOT NULL REFERENCES head (size),
    witness TEXT NOT NULL,              -- the key's name
    line    TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (size, witness)
) STRICT, WITHOUT ROWID;

CREATE INDEX leaf_host ON leaf (type, idx) WHERE account IS NULL;
