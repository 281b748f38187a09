DROP INDEX receipt_twin;
CREATE INDEX receipt_twin ON receipt (twin, statement);
