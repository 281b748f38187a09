-- Operators page through customers in the order in which they were confirmed: who is confirmed late stands at the end,
-- where a reader who is past its created_ms still comes by.
DROP INDEX customers_by_age;
ALTER TABLE customers ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE customers SET number = n FROM (SELECT account_id AS id, row_number() OVER (ORDER BY created_ms, account_id) AS n
    FROM customers WHERE confirmed) WHERE account_id = id;
CREATE UNIQUE INDEX customers_by_number ON customers (number) WHERE confirmed;
