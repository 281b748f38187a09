-- What an account's things are kept apart in. Each account has one from its beginning: prj_ and the account's digits.
CREATE TABLE projects (
    project_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    name       TEXT NOT NULL COLLATE NOCASE,
    created_ms INTEGER NOT NULL,
    deleted_ms INTEGER NOT NULL DEFAULT 0           -- what was in it still says so
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX projects_by_name ON projects (account_id, name) WHERE deleted_ms = 0;
CREATE TRIGGER customers_default_project AFTER INSERT ON customers
    BEGIN INSERT INTO projects (project_id, account_id, name, created_ms)
        VALUES ('prj_' || substr(NEW.account_id, 5), NEW.account_id, 'default', NEW.created_ms); END;
INSERT INTO projects (project_id, account_id, name, created_ms)
    SELECT 'prj_' || substr(account_id, 5), account_id, 'default', created_ms FROM customers;

-- A user's role, for the account (project_id '') or for one project. Who has none left is no user any more.
CREATE TABLE members (
    member_id  TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    project_id TEXT NOT NULL DEFAULT '',
    role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'billing', 'viewer')),
    created_ms INTEGER NOT NULL,
    UNIQUE (user_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_project ON members (project_id);
INSERT INTO members (member_id, user_id, role, created_ms)
    SELECT 'mem_' || substr(user_id, 5), user_id, 'owner', created_ms FROM users;

-- Who is to become a member; hash is SHA-256 of what is behind the link's #.
CREATE TABLE invitations (
    invitation_id TEXT NOT NULL PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES customers (account_id) ON DELETE CASCADE,
    project_id    TEXT NOT NULL DEFAULT '',
    email         TEXT NOT NULL COLLATE NOCASE,
    role          TEXT NOT NULL,
    hash          BLOB NOT NULL UNIQUE,
    mailed        INTEGER NOT NULL,                 -- nobody but the mailbox's owner saw the link
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_by_email ON invitations (account_id, project_id, email);

-- In which project a volume or a snapshot is; the default one if it is not here. Other daemons know of no projects.
CREATE TABLE placements (
    id         TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys and SSH keys: '' the whole account.
ALTER TABLE instances ADD COLUMN project_id TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN project_id TEXT NOT NULL DEFAULT '';
ALTER TABLE ssh_keys ADD COLUMN project_id TEXT NOT NULL DEFAULT '';
UPDATE instances SET project_id = 'prj_' || substr(account_id, 5);

UPDATE keys SET scopes = 131071 WHERE scopes = 32767;
