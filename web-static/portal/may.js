// What whoever is here may ask for: the host decides, this only leaves out what it would refuse.

const scopesOf = (session) => session.scopes ?? session.probe?.key.scopes ?? [];

export const may = (session, scope) => scopesOf(session).includes(scope);

// Not for who has a role, or a key, for one project alone.
export const isWide = (session) => (session.key ? session.probe.key.project_id === null : session.role !== null);

// Of what is the whole account's: a role in the project that was chosen adds nothing there.
export const mayWide = (session, scope) => isWide(session) && (session.account_scopes ?? scopesOf(session)).includes(scope);

// The account's.
export const currencyOf = (session) => session.probe?.currency ?? session.currency;

export const mayMoney = (session) => mayWide(session, 'billing:read');
