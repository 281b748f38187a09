-- Who said that an unpaid instance may not run: its owner is told in other words when it is the operator.
ALTER TABLE instance ADD COLUMN barred INTEGER NOT NULL DEFAULT 0 CHECK (barred IN (0, 1));
