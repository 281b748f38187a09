-- What each incarnation was charged, without tax: the cost of the action that began it. NULL: it was registered before this
-- was kept.
ALTER TABLE registration ADD COLUMN charged_nano INTEGER;
