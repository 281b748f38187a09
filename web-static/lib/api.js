// The one way to the API: who asks, the CSRF token, idempotency keys, and problems as exceptions with their fields.

let bearer = null;          // a key that was pasted; lives as long as this page, nowhere else
let csrf = null;            // of the session whose cookie the browser keeps
let within = null;          // the project that is asked within
let ended = () => {};

export class Problem extends Error {
    constructor(body) {
        super(body.detail || body.title);
        Object.assign(this, { errors: [], context: null, retryable: false }, body);
    }

    // What is wrong with this field, or nothing.
    of(field) {
        return this.errors.find((error) => error.field === field || error.field.startsWith(`${field}[`))?.detail;
    }
}

export function useKey(key) {
    bearer = key;
}

export function useCsrf(token) {
    csrf = token;
}

export function useProject(id) {
    within = id;
}

export const hasKey = () => bearer !== null;

// Called when a request is answered 401: the session is over.
export function onEnded(callback) {
    ended = callback;
}

function headersOf(method, { body, type, idempotencyKey, ifMatch, reason, accept, lastEventId, project = within }) {
    const headers = { Accept: accept ?? 'application/json' };
    if (bearer)
        headers.Authorization = `Bearer ${bearer}`;
    else if (csrf && method !== 'GET')
        headers['X-CSRF-Token'] = csrf;
    if (body !== undefined)
        headers['Content-Type'] = type ?? 'application/json';
    if (idempotencyKey)
        headers['Idempotency-Key'] = idempotencyKey;
    if (ifMatch)
        headers['If-Match'] = ifMatch;
    if (project)
        headers['X-Project'] = project;
    if (lastEventId)
        headers['Last-Event-ID'] = lastEventId;
    if (reason)
        headers['X-Reason'] = reason;
    return headers;
}

async function problemOf(response) {
    const body = await response.json().catch(() => null);
    return new Problem(body?.code ? body : { code: 'unknown', status: response.status, title: 'The answer cannot be read',
        detail: `The host answered ${response.status} without words. Try again in a moment.` });
}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); });
});

// Reads are tried again while the host says that it may help; what changes something is tried again by who pressed the button.
const tries = (method) => (method === 'GET' ? 3 : 1);

export async function request(method, path, options = {}) {
    const init = { method, headers: headersOf(method, options), signal: options.signal, redirect: 'error',
        body: options.body === undefined || options.type ? options.body : JSON.stringify(options.body) };
    for (let left = tries(method); ; left--) {
        let response;
        try {
            response = await fetch(path, init);
        } catch (error) {
            if (error.name === 'AbortError')
                throw error;
            throw new Problem({ code: 'unreachable', status: 0, title: 'The host cannot be reached', retryable: true,
                detail: 'The host cannot be reached. Check your connection and try again.' });
        }
        if (response.ok)
            return response;
        const problem = await problemOf(response);
        const wait = Number(response.headers.get('Retry-After') ?? 1);
        if (!problem.retryable || left === 1 || wait > 5) {
            if (response.status === 401 && !options.login)
                ended(problem);
            throw problem;
        }
        await pause(wait, options.signal);
    }
}

async function json(method, path, options) {
    const response = await request(method, path, options);
    return response.status === 204 ? null : response.json();
}

export const get = (path, options) => json('GET', path, options);
// A thing and the ETag of what was seen: put with it as `ifMatch`, and what somebody else has written since is not lost.
export async function tagged(path, options) {
    const response = await request('GET', path, options);
    return { thing: await response.json(), tag: response.headers.get('ETag') };
}

export const put = (path, body, options) => json('PUT', path, { ...options, body });
export const remove = (path, options) => json('DELETE', path, options);

// The same intention has the same key however often it is sent: `useSubmit` keeps it.
export const post = (path, body, options) =>
    json('POST', path, { idempotencyKey: crypto.randomUUID(), ...options, body });

export const text = async (path, options) => (await request('GET', path, { accept: '*/*', ...options })).text();

// Every page of a list, up to `most` rows.
export async function all(path, most = 1000) {
    const rows = [];
    for (let after = null; rows.length < most;) {
        const page = await get(after === null ? path : `${path}${path.includes('?') ? '&' : '?'}after=${encodeURIComponent(after)}`);
        rows.push(...page.data);
        if (page.next_cursor === null || page.next_cursor === undefined)
            break;
        after = page.next_cursor;
    }
    return rows;
}

// Gives a file to whoever saves it. It comes by fetch, since a link would not carry a key.
export async function save(path, name) {
    const response = await request('GET', path, { accept: '*/*' });
    const url = URL.createObjectURL(await response.blob());
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
}
