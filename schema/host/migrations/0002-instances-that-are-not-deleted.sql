-- Rows of deleted instances stay; what lists and reconciles must not read them all.
CREATE INDEX instance_live ON instance (created_ms, instance_id) WHERE state <> 'deleted';
