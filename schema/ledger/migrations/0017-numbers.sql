-- Instances and purchase orders are listed in pages, the newest first: each has a number among its account's.
ALTER TABLE instance ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE instance SET number = n FROM (SELECT instance_id AS id, row_number() OVER (PARTITION BY account_id ORDER BY rowid) AS n
    FROM instance) WHERE instance_id = id;
DROP INDEX instance_account;
CREATE UNIQUE INDEX instance_account ON instance (account_id, number);
CREATE INDEX instance_open ON instance (account_id, number) WHERE closed = 0;
CREATE INDEX instance_held ON instance (instance_id) WHERE closed = 1 AND hold_id IS NOT NULL;
ALTER TABLE purchase_order ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE purchase_order SET number = n FROM (SELECT po_id AS id, row_number() OVER (PARTITION BY account_id
    ORDER BY created_ms, po_id) AS n FROM purchase_order) WHERE po_id = id;
DROP INDEX purchase_order_account;
CREATE UNIQUE INDEX purchase_order_account ON purchase_order (account_id, number);
