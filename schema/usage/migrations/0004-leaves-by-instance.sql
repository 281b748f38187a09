-- A page of an instance's records looks at its own leaves, not at all of its account's.
CREATE INDEX leaf_instance ON leaf (account, instance, idx) WHERE account IS NOT NULL;
