// What whoever is here may ask for: the host decides, this only leaves out what it would refuse.

const scopesOf = (session) => session.scopes ?? session.probe?.key.scopes ?? [];

export const may = (session, scope) => scopesOf(session).includes(scope);

// Not for who has a role, or a key, for one project alone.
export const isWide = (session) => (session.key ? session.probe.key.project_id === null : session.role !== null);

export const mayMoney = (session) => isWide(session) && may(session, 'billing:read');
