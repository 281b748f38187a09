-- The flavour's limits as they were when the instance was made; those made before have none.
ALTER TABLE instance ADD COLUMN disk_limit TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN net_limit TEXT NOT NULL DEFAULT '';
