CREATE TABLE day_sum (
    account_id   TEXT NOT NULL REFERENCES account (account_id),
    day          INTEGER NOT NULL,
    instance_id  TEXT NOT NULL,
    meter        TEXT NOT NULL,
    quantity     TEXT NOT NULL,
    charged_nano INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, instance_id, meter)
) STRICT, WITHOUT ROWID;
