-- Which incarnation a job began: what that was charged is the job's cost.
ALTER TABLE job ADD COLUMN incarnation TEXT NOT NULL DEFAULT '';
