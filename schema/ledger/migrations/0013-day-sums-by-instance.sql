-- What one instance has come to, without the days of all others.
CREATE INDEX day_sum_instance ON day_sum (account_id, instance_id);
