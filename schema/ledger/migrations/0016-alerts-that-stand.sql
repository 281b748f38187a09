-- Who asks for what still stands does not look at all that has passed.
CREATE INDEX alert_standing ON alert (number) WHERE cleared_ms IS NULL;
CREATE INDEX alert_account_standing ON alert (account_id, number) WHERE cleared_ms IS NULL;
