-- Operators page through customers in the order in which they came.
CREATE INDEX customers_by_age ON customers (created_ms, account_id) WHERE confirmed;
