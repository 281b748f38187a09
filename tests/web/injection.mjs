// Markup in every text that a customer can send: the contract says which there are. What is stored is looked for on every
// screen of both pages, what is refused comes back in errors and addresses; none of it may run, or become an element.

import { readFileSync } from 'node:fs';
import { browser, end, go, host, ok, open, quiet, settled } from './browser.mjs';

const here = await host(), chrome = await browser();
const contract = JSON.parse(readFileSync(`${here.dir}/openapi.json`));
const SCREENS_MAX = 80;

// A request of each kind that is accepted; a kind that is missing here is sent with what its schema requires.
const ID = { '/v1/instances/{id}': here.instance, '/v1/instances/{id}/actions': here.instance, '/v1/instances/{id}/forwards': here.instance };
const BODIES = {
    'POST /v1/quotes': { flavor: 'xs1' },
    'POST /v1/instances': { name: 'nasty', image: 'tiny', flavor: 'xs1' },
    'POST /v1/purchase_orders': { name: 'nasty', amount: '0.01' },
    'PUT /v1/account/billing_details': { name: 'Ada', street: 'Lane 1', postcode: '12345', city: 'Ulm', country: 'DE', email: 'a@example.org' },
    'POST /v1/budgets': { amount: '900.00' },
    'POST /v1/webhooks': { url: 'https://hooks.example/x' },
    'POST /v1/keys': { name: 'nasty', scopes: ['account:read'] },
    'POST /v1/volumes': { name: 'nasty', size_mib: 1 },
    'POST /v1/signup': { name: 'nasty', email: 'nasty@example.org', password: 'correct horse battery' },
    'POST /v1/disputes': { invoice_id: '', reason: 'nasty', line: 2 },
};
// Whose markup must have been taken, or this test would try nothing.
const STORED = ['POST /v1/purchase_orders name', 'POST /v1/keys name', 'POST /v1/disputes reason', 'POST /v1/signup name',
    'PUT /v1/account/billing_details name', 'PUT /v1/account/billing_details street', 'PUT /v1/account/billing_details city'];

let marks = 0;
const markup = () => `<img src=x onerror=xss=${++marks}><svg onload=xss=${marks}><script>xss=${marks}</script>"'\${xss=${marks}}m${marks}m`;

const resolved = (schema) => schema?.$ref ? resolved(schema.$ref.slice(2).split('/').reduce((at, name) => at[name], contract)) : schema ?? {};

// [path of names to it] of each text in a body.
function texts(schema, at = []) {
    schema = resolved(schema);
    const found = [schema.type].flat().includes('string') ? [at] : [];
    for (const part of [schema.allOf, schema.anyOf, schema.oneOf].flat().filter(Boolean))
        found.push(...texts(part, at));
    for (const [name, part] of Object.entries(schema.properties ?? {}))
        found.push(...texts(part, [...at, name]));
    if (typeof schema.additionalProperties === 'object')
        found.push([...at, null], ...texts(schema.additionalProperties, [...at, 'nasty']));
    if (schema.items)
        found.push(...texts(schema.items, [...at, 0]));
    return found;
}

// What a schema asks for at least.
function least(schema) {
    schema = resolved(schema);
    if (schema.enum)
        return schema.enum[0];
    if (schema.properties)
        return Object.fromEntries((schema.required ?? []).map((name) => [name, least(schema.properties[name])]));
    return schema.type === 'array' ? [] : schema.type === 'integer' ? schema.minimum ?? 1 : schema.type === 'boolean' ? false : 'x';
}

// The body with this text in that place; null stands for the name of a field.
function placed(body, [name, ...rest], text) {
    const copy = Array.isArray(body) ? [...body] : { ...body };
    if (name === null)
        return { ...copy, [text]: 'x' };
    copy[name] = rest.length ? placed(copy[name] ?? (rest[0] === 0 ? [] : {}), rest, text) : text;
    return copy;
}

const bodySchema = (operation) => resolved(operation.requestBody).content?.['application/json']?.schema;

function kinds() {
    return Object.entries(contract.paths).filter(([path]) => !path.startsWith('/v1/admin/')).flatMap(([path, methods]) =>
        Object.entries(methods).filter(([, operation]) => operation.requestBody && bodySchema(operation))
            .map(([method, operation]) => ({ kind: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, schema: bodySchema(operation) })));
}

async function ask(page, method, path, data, key = here.key) {
    return page.context().request.fetch(`${here.url}${path}`, { method, data, headers: { ...(key ? { Authorization: `Bearer ${key}` } : {}), 'Idempotency-Key': crypto.randomUUID() } });
}

// Every answer says that it is JSON (or, metrics, plain text), that nothing else may be made of it, and is no failure of ours.
async function harmless(answer, wrong, what) {
    const type = answer.headers()['content-type'] ?? '';
    if (answer.status() >= 500 || (answer.status() !== 204 && !/^(application\/(problem\+)?json|text\/plain)/.test(type)) || answer.headers()['x-content-type-options'] !== 'nosniff')
        wrong.push(`${what}: ${answer.status()} ${type}`);
}

// Sends each; the markup that was stored, by where it was sent.
async function sent(page) {
    const stored = new Map(), wrong = [];
    BODIES['POST /v1/disputes'].invoice_id = (await (await ask(page, 'GET', '/v1/invoices')).json()).data[0].id;
    for (const { kind, method, path, schema } of kinds()) {
        for (const place of texts(schema)) {
            const text = markup(), data = placed(BODIES[kind] ?? least(schema), place, text);
            const nobody = /signup|sessions|password_resets|invitations\/(lookup|accept)/.test(path);
            const answer = await ask(page, method, path.replace(/\{[^}]*\}/, ID[path] ?? encodeURIComponent(text).slice(0, 60)), data, nobody ? null : here.key);
            await harmless(answer, wrong, `${kind} ${place.join('.')}`);
            if (answer.ok() && (await answer.text()).includes(`m${marks}m`))
                stored.set(`${kind} ${place.join('.')}`, `m${marks}m`);
        }
    }
    ok(wrong.length === 0 && marks > 60, `${marks} texts are stored or refused in JSON`, wrong.join('\n'));
    return stored;
}

async function parametersSent(page) {
    const wrong = [];
    let tried = 0;
    for (const [path, methods] of Object.entries(contract.paths)) {
        if (!methods.get || path.startsWith('/v1/admin/') || !path.startsWith('/v1/'))
            continue;
        for (const address of [`${path.replace(/\{[^}]*\}/g, encodeURIComponent('<img src=x onerror=xss=1>'))}`, `${path.replace(/\{[^}]*\}/g, 'x')}?after=${encodeURIComponent(markup())}&${encodeURIComponent('<svg onload=xss=1>')}=1`]) {
            await harmless(await ask(page, 'GET', address), wrong, address);
            tried++;
        }
    }
    ok(wrong.length === 0 && tried > 60, `${tried} addresses with markup are answered in JSON`, wrong.join('\n'));
}

async function logIn(page, root, key) {
    await page.goto(`${here.url}${root}`);
    await page.getByRole('button', { name: 'Log in with an API key' }).click();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await settled(page);
}

// Whether anything of ours became more than text.
async function ran(page) {
    return page.evaluate(() => [
        typeof xss === 'undefined' ? '' : `ran: ${xss}`,
        ...[...document.querySelectorAll('img[src="x"], svg[onload], script:not([src]), [onerror], [onload], a[href^="javascript:"]')].map((element) => element.outerHTML),
    ].filter(Boolean));
}

// Every screen that links lead to; what was stored, and where it was not seen as text.
async function crawled(page, root, key, unseen) {
    await logIn(page, root, key);
    const queue = [root], known = new Set(queue), bad = [];
    for (let at = 0; at < queue.length && at < SCREENS_MAX; at++) {
        await go(page, queue[at]);
        const text = await page.evaluate(() => document.body.innerText + [...document.querySelectorAll('input, textarea')].map((field) => field.value).join(' '));
        for (const [what, mark] of unseen)
            if (text.includes(mark))
                unseen.delete(what);
        bad.push(...(await ran(page)).map((found) => `${queue[at]}: ${found}`));
        for (const path of await page.evaluate(() => [...document.querySelectorAll('a[href]')].filter((a) => a.origin === location.origin && !a.download).map((a) => a.pathname + a.search)))
            if (path.startsWith(root) && !known.has(path)) {
                known.add(path);
                queue.push(path);
            }
    }
    ok(bad.length === 0 && queue.length > 10, `${Math.min(queue.length, SCREENS_MAX)} screens below ${root}: nothing ran, nothing became an element`, bad.join('\n'));
    quiet(page, root);
}

// Addresses that a stranger may have somebody follow.
async function followed(page, root) {
    const bad = [];
    for (const part of ['nowhere/', 'instances/', 'customers/', 'invoices/', 'reset#', 'setup#', 'invitation#', '?', 'wallet?tab=', '#']) {
        const address = `${root}${part}${encodeURIComponent(markup())}`;
        const answer = await page.goto(`${here.url}${address}`);
        // An address too long for one of ours is answered in JSON; one with another fragment alone by nobody.
        if (!answer || answer.headers()['content-type'].startsWith('text/html'))
            await page.locator('h1').first().waitFor();
        bad.push(...(await ran(page)).map((found) => `${address}: ${found}`));
    }
    ok(bad.length === 0, `addresses below ${root} with markup in them: nothing ran`, bad.join('\n'));
    quiet(page, `${root}, followed`);
}

// Signing up logs in: who sends is not who looks.
const sender = await open(chrome), page = await open(chrome);
const stored = await sent(sender), unseen = new Map(stored);
await parametersSent(sender);
for (const what of STORED)
    ok(stored.has(what), `${what}: markup is taken as it is`);
await crawled(page, '/portal/', here.key, unseen);
await followed(page, '/portal/');
const operators = await open(chrome);
await crawled(operators, '/console/', here.operator_key, unseen);
await followed(operators, '/console/');
for (const what of STORED)
    ok(!unseen.has(what), `${what}: is shown as text on some screen`);
await chrome.close();
await here.stop();
end();
