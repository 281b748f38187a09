-- What an incarnation came to is charged in the ledger and summed there, and leaf_chain finds its newest leaf: the row
-- does not change with each record.
ALTER TABLE incarnation DROP COLUMN used;
ALTER TABLE incarnation DROP COLUMN last_idx;
