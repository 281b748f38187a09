// Guests' consoles by a stock client of WebSockets, against the real api and the provisioner's own code for consoles.

import { spawn } from 'node:child_process';
import https from 'node:https';
import tls from 'node:tls';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { WebSocket } = await import(pathToFileURL(`${process.env.XS_WS}/wrapper.mjs`));
let count = 0, failed = 0;

function ok(good, what, why = '') {
    console.log(`${good ? 'ok' : 'not ok'} ${++count} - ${what}`);
    if (!good) {
        failed++;
        console.log(String(typeof why === 'string' ? why : JSON.stringify(why)).slice(0, 500).replace(/^/gm, '# '));
    }
}

// the host

// What it says of itself is no check of ours: a log may hold both of our outputs.
const rig = spawn(process.env.XS_RIG, [], { cwd: process.env.XS_BUILD, stdio: ['pipe', 'pipe', 'pipe'] });
createInterface({ input: rig.stderr }).on('line', (line) => console.log(`# ${line}`));
const over = new Promise((resolve) => rig.on('exit', resolve));
const lines = createInterface({ input: rig.stdout })[Symbol.asyncIterator]();
const facts = JSON.parse((await lines.next()).value);
const agent = new https.Agent({ rejectUnauthorized: false, keepAlive: false });

const bearer = (key) => (key ? { Authorization: `Bearer ${key}` } : {});

function call(method, path, { key = facts.key, headers = {}, body = '' } = {}) {
    return new Promise((resolve, reject) => {
        const request = https.request(facts.url + path, { method, agent, headers: { ...bearer(key), ...headers } },
            (answer) => {
                let text = '';
                answer.on('data', (bytes) => { text += bytes; });
                answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, json: text ? JSON.parse(text) : null }));
            });
        request.on('error', reject);
        request.end(body);
    });
}

async function ticket(instance = facts.instance, key = facts.key) {
    const answer = await call('POST', `/v1/instances/${instance}/console_sessions`, { key });
    if (answer.status !== 201)
        throw new Error(`no ticket: ${answer.status} ${JSON.stringify(answer.json)}`);
    return answer.json.url;
}

// a viewer: what came, and waiting until it has

class Viewer {
    constructor(url, { key = facts.key, headers = {}, origin } = {}) {
        this.bytes = '';
        this.words = [];
        this.ws = new WebSocket(facts.url.replace('https', 'wss') + url,
            { rejectUnauthorized: false, origin, headers: { ...bearer(key), ...headers }, perMessageDeflate: false });
        this.waiters = [];
        this.ws.on('message', (data, binary) => {
            if (binary)
                this.bytes += data.toString('latin1');
            else
                this.words.push(JSON.parse(data));
            this.look();
        });
        this.ws.on('close', (code, reason) => { this.closed = { code, reason: String(reason) }; this.look(); });
        this.ws.on('error', (error) => { this.error = error; this.look(); });
        this.ws.on('open', () => { this.open = true; this.look(); });
        this.ws.on('unexpected-response', (request, answer) => { this.refused = answer.statusCode; request.destroy(); this.look(); });
    }

    look() {
        this.waiters = this.waiters.filter((waiter) => !waiter(this));
    }

    until(what, test, seconds = 90) {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(`waited for: ${what}; ${JSON.stringify(this.words)} ${JSON.stringify(this.closed)} ` +
                `${this.error} ${JSON.stringify(this.bytes.slice(-200))}`)), seconds * 1000);
            this.waiters.push((viewer) => test(viewer) && (clearTimeout(timer), resolve(viewer), true));
            this.look();
        });
    }

    word(name) {
        return this.words.filter((word) => name in word).at(-1)?.[name];
    }

    send(text) {
        this.ws.send(Buffer.from(text, 'latin1'));
    }

    say(word) {
        this.ws.send(JSON.stringify(word));
    }

    async end() {
        this.ws.close(1000);
        return this.until('the close', (viewer) => viewer.closed);
    }
}

async function view(from, { instance = facts.instance, ...how } = {}) {
    const viewer = new Viewer(await ticket(instance, how.key), how);
    await viewer.until('open', (v) => v.open || v.refused || v.error);
    if (viewer.open) {
        viewer.say({ replay_from: from });
        await viewer.until('the offset', (v) => v.word('offset') !== undefined && v.word('viewers') !== undefined);
    }
    return viewer;
}

const refusal = async (url, how) => {
    const viewer = new Viewer(url, how);
    await viewer.until('an answer', (v) => v.refused || v.open || v.error);
    if (viewer.open)
        viewer.ws.terminate();
    return viewer.refused;
};

// the checks

async function company() {
    const one = await view(0);
    one.send('hello\r\n');
    await one.until('an echo', (v) => v.bytes === 'hello\r\n');
    ok(one.word('offset') === 0 && one.word('viewers') === 1, 'what is typed arrives, and what the guest writes comes back', one.words);
    const two = await view(0);
    await two.until('the replay', (v) => v.bytes === 'hello\r\n');
    ok(true, 'who comes later sees what was there');
    await one.until('company', (v) => v.word('viewers') === 2);
    ok(two.word('viewers') === 2, 'both know of two viewers', two.words);
    two.send('\x03\xff\x00');
    await Promise.all([one, two].map((v) => v.until('the same', (w) => w.bytes === 'hello\r\n\x03\xff\x00')));
    ok(true, 'two viewers see the same bytes, of whatever kind');
    one.say({ resize: { cols: 120, rows: 40 } });
    await two.until('the size', (v) => v.word('resize'));
    ok(JSON.stringify(two.word('resize')) === '{"cols":120,"rows":40}' && !one.word('resize'), 'the size of one is told to the other alone');
    const three = await view(-3);
    await three.until('the last bytes', (v) => v.bytes === '\x03\xff\x00');
    ok(three.word('resize').cols === 120, 'and to who comes later');
    await three.end();
    await one.until('less company', (v) => v.word('viewers') === 2);
    ok(true, 'who leaves is told of');
    const closed = await two.end();
    ok(closed.closed.code === 1000, 'a close is answered');
    await one.end();
}

async function tickets() {
    const used = await ticket();
    const viewer = new Viewer(used);
    await viewer.until('open', (v) => v.open);
    ok(await refusal(used) === 404, 'a ticket works once');
    viewer.ws.terminate();
    const stolen = await ticket();
    ok(await refusal(stolen, { key: facts.other }) === 404, "another customer's ticket is no ticket");
    const other = await call('POST', `/v1/keys`, { headers: { 'Idempotency-Key': 'second', 'Content-Type': 'application/json' }, body: '{"name":"second"}' });
    ok(await refusal(stolen, { key: other.json.key }) === 404, "nor that of another key of one's own");
    ok(await refusal(stolen, { origin: 'https://evil.example' }) === 403, 'a page of another site is refused');
    const own = new Viewer(stolen, { origin: facts.url });
    await own.until('open', (v) => v.open || v.refused);
    ok(own.open, 'a page of ours is not, and the ticket still worked', own.refused);
    own.ws.terminate();
    ok((await call('POST', `/v1/instances/${facts.instance}/console_sessions`, { key: facts.other })).status === 404,
        "nobody has a ticket for another's instance");
    const plain = await call('GET', await ticket());
    ok(plain.status === 426 && plain.headers['sec-websocket-version'] === '13' && plain.json.code === 'upgrade_required', 'no WebSocket: 426', plain);
}

// Bytes of our own making over TLS; resolves to what came until the end.
function raw(url, frames, { key = randomBytes(16).toString('base64'), version = '13', until = () => false } = {}) {
    return new Promise((resolve, reject) => {
        const { hostname, port } = new URL(facts.url);
        const socket = tls.connect({ host: hostname, port, rejectUnauthorized: false }, () => {
            socket.write(`GET ${url} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${facts.key}\r\nUpgrade: websocket\r\n` +
                `Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${version}\r\n\r\n`);
            for (const frame of frames)
                socket.write(frame);
        });
        let got = Buffer.alloc(0);
        socket.setTimeout(90000, () => reject(new Error(`nothing more after ${got.toString('latin1').slice(-300)}`)));
        socket.on('data', (bytes) => {
            got = Buffer.concat([got, bytes]);
            if (until(got) || typeof closeCode(got) === 'number' || /^HTTP\/1.1 4/.test(got.toString('latin1')))
                socket.end();
        });
        socket.on('error', () => resolve(got));
        socket.on('close', () => resolve(got));
    });
}

function frame(opcode, payload, { fin = true, masked = true } = {}) {
    const bytes = Buffer.from(payload), mask = randomBytes(4);
    const head = [(fin ? 0x80 : 0) | opcode];
    if (bytes.length < 126)
        head.push((masked ? 0x80 : 0) | bytes.length);
    else
        head.push((masked ? 0x80 : 0) | 126, bytes.length >> 8, bytes.length & 255);
    return Buffer.concat([Buffer.from(head), masked ? mask : Buffer.alloc(0), Buffer.from(bytes.map((byte, i) => masked ? byte ^ mask[i % 4] : byte))]);
}

// The code of the close frame at the end.
const closeCode = (got) => {
    for (let at = got.length - 4; at > 0; at--)
        if (got[at] === 0x88 && got[at + 1] === got.length - at - 2)
            return got.readUInt16BE(at + 2);
    return got.toString('latin1').slice(-200);
};

async function frames() {
    const begin = frame(1, '{"replay_from":-1}');
    const cases = [
        ['a frame without a mask', [frame(1, '{"replay_from":0}', { masked: false })], 1002],
        ['a text that is no UTF-8', [begin, frame(1, [0xff, 0xfe])], 1007],
        ['a message of more than 16 KiB', [begin, frame(2, Buffer.alloc(16000), { fin: false }), frame(0, Buffer.alloc(1000))], 1009],
        ['an opcode that there is not', [begin, frame(3, 'x')], 1002],
        ['a continuation of nothing', [begin, frame(0, 'x')], 1002],
        ['input before replay_from', [frame(2, 'ls')], 1008],
        ['replay_from twice', [begin, begin], 1008],
        ['a word that there is not', [begin, frame(1, '{"shutdown":true}')], 1008],
        ['a size of nothing', [begin, frame(1, '{"resize":{"cols":0,"rows":24}}')], 1008],
        ['the words {}', [begin, frame(1, '{}')], 1008],
        ['a close', [begin, frame(8, [3, 232])], 1000],
    ];
    for (const [what, sent, code] of cases) {
        const got = closeCode(await raw(await ticket(), sent));
        ok(got === code, `${what} ends it with ${code}`, got);
    }
    const viewer = await view(-1, { instance: facts.second });
    viewer.bytes = '';
    const pong = Buffer.from([0x8a, 1, 0x70]), split = await raw(await ticket(facts.second), [frame(1, '{"replay', { fin: false }), frame(9, 'p'), frame(0, '_from":1000000}'),
        frame(2, 'in ', { fin: false }), frame(0, 'parts')], { until: (got) => got.includes(pong) });
    await viewer.until('the parts', (v) => v.bytes.endsWith('in parts'));
    ok(split.includes(pong), 'messages in parts, with a ping between them', split.toString('latin1').slice(-120));
    await viewer.end();
    const version = (await raw(await ticket(), [], { version: '8' })).toString();
    ok(/^HTTP\/1.1 426/.test(version) && /sec-websocket-version: 13/i.test(version), 'another version is told which one', version);
    ok(/^HTTP\/1.1 400/.test((await raw(await ticket(), [], { key: 'short' })).toString()), 'a key that is none');
    const accepted = (await raw(await ticket(), [frame(8, [3, 232])], { key: 'dGhlIHNhbXBsZSBub25jZQ==' })).toString('latin1');
    ok(/^HTTP\/1.1 101/.test(accepted) && /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i.test(accepted), "RFC 6455's own example", accepted);
}

const settings = { ...process.env, XS_URL: facts.url, XS_KEY: facts.key, XS_FINGERPRINT: facts.fingerprint };

// What xs says when nobody types.
function told(...words) {
    const child = spawn('tests/api/xs', words, { cwd: process.env.XS_BUILD, stdio: ['ignore', 'ignore', 'pipe'], env: settings });
    let text = '';
    child.stderr.on('data', (bytes) => { text += bytes; });
    return new Promise((resolve) => child.on('close', (status) => resolve({ status, text })));
}

async function limits() {
    const viewers = [];
    for (let i = 0; i < 4; i++)
        viewers.push(await view(-1));
    ok(await refusal(await ticket()) === 429, 'a fifth viewer of a console is refused');
    const { status, text } = await told('console', 'web-1');
    ok(status === 4 && text.includes('(429 rate_limited)') && text.includes('4 viewers look at this console already: close one\n'), 'xs console says why, in the host\'s words', text);
    const elsewhere = await view(-1, { instance: facts.second });
    ok(elsewhere.open, 'but not of another console');
    await viewers[0].end();
    await viewers[1].until('the place', (v) => v.word('viewers') === 3);
    const again = await view(-1);
    ok(again.open, 'and not when one has left', again.refused);
    for (const viewer of [...viewers.slice(1), elsewhere, again])
        await viewer.end();
}

// One reads nothing while the guest floods; the other has it all, and the lazy one is dropped and no one else.
async function slow() {
    const reader = await view(1e15, { instance: facts.second }), sleeper = await view(1e15, { instance: facts.second });
    const floods = 12, size = floods * 1024 * 1024;
    sleeper.ws.pause();
    for (let i = 0; i < floods; i++) {
        const want = (i + 1) * 1024 * 1024;
        reader.send('flood 1024');
        await reader.until('the flood', (v) => v.bytes.length >= want);
    }
    ok(reader.bytes.length === size && reader.bytes === 'abcdefghijklmnopqrstuvwxyz'.repeat(40).slice(0, 1024).repeat(floods * 1024),
        `who reads has all ${size} bytes`, reader.bytes.length);
    sleeper.ws.resume();
    await sleeper.until('the end', (v) => v.closed);
    ok(sleeper.word('closed') === 'slow' && sleeper.closed.code === 1008, 'who slept is told that it was too slow', sleeper.closed);
    ok(sleeper.bytes.length < size && reader.bytes.startsWith(sleeper.bytes.slice(0, 1024)), 'after what had been on its way', sleeper.bytes.length);
    const back = await view(0, { instance: facts.second });
    await back.until('what is kept', (v) => v.bytes.length >= 1024 * 1024);
    ok(back.word('offset') > 0, 'what is no longer kept is left out, and the offset says so', back.words);
    await back.end();
    await reader.end();
}

// The api is killed while one types: with a new ticket and the offset it has, nothing is lost or told twice.
async function killed() {
    let viewer = await view(1e15), have = viewer.word('offset'), all = '';
    const begun = have;
    for (let round = 0; round < 4; round++) {
        viewer.send(`round ${round};`);
        await viewer.until('the echo', (v) => v.bytes.endsWith(`round ${round};`));
        rig.stdin.write('restart\n');
        await viewer.until('the end', (v) => v.closed);
        all += viewer.bytes;
        have += viewer.bytes.length;
        await lines.next();
        viewer = await view(have);
        if (viewer.word('offset') !== have)
            all += `(${viewer.word('offset')} instead of ${have})`;
    }
    ok(all === 'round 0;round 1;round 2;round 3;' && have === begun + all.length, 'over four kills of the api nothing is lost or told twice', all);
    await viewer.end();
}

async function revoked() {
    const made = await call('POST', '/v1/keys', { headers: { 'Idempotency-Key': 'short-lived', 'Content-Type': 'application/json' }, body: '{"name":"short-lived"}' });
    const viewer = await view(-1, { key: made.json.key });
    let pings = 0;
    viewer.ws.on('ping', () => { pings++; });
    await call('DELETE', `/v1/keys/${made.json.id}`);
    await viewer.until('the end', (v) => v.closed, 40);
    ok(viewer.word('closed') === 'revoked', 'a key that is revoked loses its console', viewer.words);
    ok(pings >= 1, 'there was a ping until then', pings);
}

// xs console under a terminal of its own (util-linux' script), which is the same before and after.
function terminal() {
    const child = spawn('script', ['-qec', 'stty -g; tests/api/xs console web-1; echo "status $?"; stty -g', '/dev/null'], {
        cwd: process.env.XS_BUILD, stdio: ['pipe', 'pipe', 'inherit'], env: settings,
    });
    const screen = { text: '', waiters: [], type: (text) => child.stdin.write(text, 'latin1') };
    const look = () => { screen.waiters = screen.waiters.filter((waiter) => !waiter()); };
    child.stdout.on('data', (bytes) => { screen.text += bytes.toString('latin1'); look(); });
    screen.until = (what, seconds = 30) => new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`waited for ${what}: ${JSON.stringify(screen.text)}`)), seconds * 1000);
        screen.waiters.push(() => screen.text.includes(what) && (clearTimeout(timer), resolve(), true));
        look();
    });
    screen.over = new Promise((resolve) => child.on('exit', resolve));
    return screen;
}

async function client() {
    const screen = terminal();
    await screen.until('Ctrl-] ends this');
    screen.type('typed by xs\x03\r');
    await screen.until('typed by xs\x03\r');
    ok(true, 'xs console: what is typed arrives, Ctrl-C too, and what the guest writes comes back');
    rig.stdin.write('restart\n');
    await lines.next();
    const other = await view(1e15);
    await screen.until('typed by xs');
    other.send('after the kill');
    await screen.until('after the kill');
    ok(screen.text.split('typed by xs').length === 2, 'it comes back by itself after a kill of the api, and tells nothing twice', screen.text);
    await other.end();
    screen.type('\x1d');
    await screen.over;
    const modes = screen.text.match(/^[0-9a-f]+(:[0-9a-f]+){10,}/gm) ?? [];
    ok(/detached/.test(screen.text) && /status 0/.test(screen.text), 'Ctrl-] ends it', screen.text);
    ok(modes.length === 2 && modes[0] === modes[1], 'the terminal is as it was', screen.text);
}

// A browser sends no X-Project with a WebSocket: the ticket knows within which of their projects a person asked for it.
async function projects() {
    const post = (path, body, how) => call('POST', path, { ...how, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomBytes(9).toString('hex'), ...how?.headers } });
    const password = 'a password of the tests';
    let person, project;
    for (const name of ['first', 'second']) {
        project = (await post('/v1/projects', { name })).json.id;
        const { token } = (await post('/v1/invitations', { email: 'two@example.com', role: 'developer', project_id: project })).json;
        person = await post('/v1/invitations/accept', { token, name, password }, { key: null });
    }
    const instance = (await post('/v1/instances', { name: 'theirs', image: 'tiny', flavor: 'xs1' }, { headers: { 'X-Project': project } })).json.id;
    const Cookie = person.headers['set-cookie'][0].split(';')[0];
    const asked = await call('POST', `/v1/instances/${instance}/console_sessions`, { key: null, headers: { Cookie, 'X-Project': project, 'X-CSRF-Token': person.json.csrf_token } });
    ok(asked.status === 201, 'a person of two projects has a ticket in the second', asked);
    const viewer = new Viewer(asked.json.url, { key: null, headers: { Cookie }, origin: facts.url });
    await viewer.until('an answer', (v) => v.open || v.refused || v.error);
    ok(viewer.open, 'and a console, without naming it again', viewer.refused);
    viewer.ws.terminate();
}

async function deleted() {
    const viewer = await view(-1, { instance: facts.second });
    const answer = await call('DELETE', `/v1/instances/${facts.second}`);
    await viewer.until('the end', (v) => v.closed);
    ok(answer.status === 202 && viewer.word('closed') === 'deleted' && viewer.closed.code === 1000, 'an instance that is deleted takes its console along',
        viewer.words);
}

async function stopped() {
    const viewer = await view(-1);
    rig.stdin.end();
    await viewer.until('the end', (v) => v.closed);
    ok(viewer.word('closed') === 'unavailable' && viewer.closed.code === 1001, 'an api that ends says so', viewer.words);
    ok(await over === 0, 'the host ends in order');
}

for (const check of [company, tickets, frames, limits, slow, killed, client, revoked, projects, deleted, stopped])
    try {
        await check();
    } catch (error) {
        ok(false, check.name, String(error.stack ?? error));
    }
rig.stdin.end();
await over;
console.log(`1..${count}`);
process.exitCode = failed ? 1 : 0;
