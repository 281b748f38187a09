-- Money that arrives, in order, among all the transfers: who follows it reads no others.
CREATE INDEX transfer_deposit ON transfer (seq)
    WHERE kind = 'posted' AND code IN ('fund', 'voucher', 'credit', 'bank', 'card', 'suspense');
