// Who is here: a person by a cookie that scripts cannot read, or whoever pasted a key. The key stays in this page's memory.

import { get, hasKey, post, remove, useCsrf, useKey } from './api.js';

export const CUSTOMER = { session: '/v1/session', sessions: '/v1/sessions', probe: '/v1/account', prefix: 'xs_live_' };
export const OPERATOR = { session: '/v1/admin/session', sessions: '/v1/admin/sessions', probe: '/v1/admin/host', prefix: 'xs_oper_' };

function took(session) {
    useCsrf(session.csrf_token);
    return session;
}

// The session of the browser's cookie, or null.
export async function restore(realm) {
    try {
        return took(await get(realm.session, { login: true }));
    } catch (error) {
        if (error.status === 401 || error.status === 404)
            return null;
        throw error;
    }
}

export const logIn = async (realm, values) => took(await post(realm.sessions, values, { login: true, idempotencyKey: null }));

export async function logInWithKey(realm, key) {
    useKey(key);
    try {
        return { key: true, probe: await get(realm.probe, { login: true }) };
    } catch (error) {
        useKey(null);
        throw error;
    }
}

export async function logOut(realm) {
    try {
        if (!hasKey())
            await remove(`${realm.sessions}/current`, { login: true });
    } finally {
        useKey(null);
        useCsrf(null);
    }
}
