// What the browser's tests share: the host (tests/web/rig), Chromium, TAP, axe-core, screenshots, and what was fetched.
// Started by browser.sh, which sets the XS_* variables below.

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const env = (name) => process.env[name] ?? bail(`${name} is not set: run the .sh beside`);
const { chromium } = (await import(pathToFileURL(`${env('XS_PLAYWRIGHT')}/index.js`))).default;
const axe = readFileSync(`${env('XS_AXE')}/axe.min.js`, 'utf8');
const screens = env('XS_SCREENS');
mkdirSync(screens, { recursive: true });

let count = 0, failed = 0;

function bail(why) {
    console.log(`Bail out! ${why}`);
    process.exit(1);
}

export function ok(good, what, why = '') {
    console.log(`${good ? 'ok' : 'not ok'} ${++count} - ${what}`);
    if (!good) {
        failed++;
        console.log(String(why).replace(/^/gm, '# '));
    }
    return good;
}

export function end() {
    console.log(`1..${count}`);
    process.exitCode = failed ? 1 : 0;
}

// { url, key, operator_key, ..., stop() }
export async function host() {
    const rig = spawn(env('XS_RIG'), [env('XS_WEB')], { cwd: env('XS_BUILD'), stdio: ['pipe', 'pipe', 'inherit'] });
    const over = new Promise((resolve) => rig.on('exit', resolve));
    const facts = await Promise.race([over, new Promise((resolve) => createInterface({ input: rig.stdout }).once('line', (line) => resolve(JSON.parse(line))))]);
    if (!facts.url)
        bail(`the rig ended with ${facts}`);
    return { ...facts, stop: async () => { rig.stdin.end(); ok(await over === 0, 'the host ends in order'); } };
}

// What the page looked like when a wait for it was in vain.
const pages = [];
process.on('uncaughtException', async (error) => {
    console.log(String(error.stack).replace(/^/gm, '# '));
    await Promise.all(pages.filter((page) => !page.isClosed()).map((page, i) => shot(page, `gave-up-${i}`).catch(() => {})));
    bail('a step of the walk did not happen; screens/gave-up-*.png');
});

export async function browser() {
    return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

export const SIZES = { desk: { width: 1280, height: 860 }, phone: { width: 360, height: 740 } };

// A page of its own profile; what it complains of (policy, exceptions) is a failure that `quiet` tells.
export async function open(chrome, { size = 'desk', theme = 'light' } = {}) {
    const context = await chrome.newContext({ ignoreHTTPSErrors: true, viewport: SIZES[size], colorScheme: theme, acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    pages.push(page);
    page.complaints = [];
    page.on('pageerror', (error) => complain(String(error.stack ?? error)));
    page.on('console', (message) => {
        // A request that is refused is told by the page itself, and tested there.
        if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
            complain(message.text());
    });

    function complain(words) {
        page.complaints.push(words);
        console.log(words.replace(/^/gm, '# page: '));
    }
    return page;
}

export function quiet(page, where) {
    ok(page.complaints.length === 0, `${where}: no exception, nothing against the policy`, page.complaints.join('\n'));
    page.complaints.length = 0;
}

// Bytes as they came, and how many files, since the call.
export async function fetched(page) {
    const session = await page.context().newCDPSession(page);
    const sum = { bytes: 0, files: 0 };
    await session.send('Network.enable');
    session.on('Network.loadingFinished', (event) => { sum.bytes += event.encodedDataLength; sum.files++; });
    return sum;
}

// Nothing failed to load, and there is a screen at this address; `nowhere` is what must have none.
export async function fine(page, where, nowhere = false) {
    ok((await page.locator('main h1').first().textContent() === 'No such page') === nowhere, `${where}: ${nowhere ? 'is no page' : 'has a screen'}`);
    ok(await page.locator('main .notice.bad').count() === 0, `${where}: shows no error`, await page.locator('main .notice.bad').allTextContents());
}

export const shot = (page, name) => page.screenshot({ path: `${screens}/${name}.png`, fullPage: true });

// axe's findings that it calls serious or critical. Through the debugger, so the page's policy stays as it is.
export async function accessible(page, where) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    const serious = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
    ok(serious.length === 0, `${where}: axe-core finds nothing serious`,
        serious.map((one) => `${one.id}: ${one.help}\n${one.nodes.slice(0, 4).map((node) => `  ${node.target} ${node.failureSummary}`).join('\n')}`).join('\n'));
}

// Nothing sticks out to the right.
export async function fits(page, where) {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    ok(wide <= 0, `${where}: fits the width`, `${wide} pixels too wide`);
}

export async function settled(page) {
    await page.locator('main h1').waitFor();
    await page.waitForFunction(() => !document.querySelector('main .loading'));
}

// RFC 6238 as authenticators have it: SHA-1, 30 s, six digits. By the host's clock, which need not be ours to the second;
// `later` is for the next code, as none counts twice.
export async function totp(page, secret, later = 0) {
    const health = await page.request.get(new URL('/healthz', page.url()).href);
    const now = Date.parse(health.headers().date) + later * 30000;
    const bits = [...secret.replaceAll(' ', '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const step = Buffer.alloc(8);
    step.writeBigUInt64BE(BigInt(Math.floor(now / 30000)));
    const mac = createHmac('sha1', key).update(step).digest(), at = mac[19] & 15;
    return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0');
}

// Turns the second factor on in the form that is open: its secret and the recovery codes.
export async function turnOn(page, password) {
    await page.getByLabel('Your password').fill(password);
    await page.getByRole('button', { name: 'Go on' }).click();
    const secret = await page.getByLabel('The secret').textContent();
    await page.getByLabel('Code', { exact: true }).fill(await totp(page, secret));
    await page.getByRole('button', { name: 'Turn on' }).last().click();
    const codes = (await page.getByLabel('Recovery codes').textContent()).split('\n');
    await page.getByRole('button', { name: 'I have kept them' }).click();
    return { secret, codes };
}

// An operator's first steps: the link that somebody gave them, a password, the second factor. `look` is called at each.
export async function enrol(page, link, name, password, look = () => {}) {
    await page.goto(link);
    await page.getByLabel('New password').fill(password);
    await look('setup');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('heading', { name: 'Turn on your second factor' }).waitFor();
    await look('second-factor');
    return turnOn(page, password);
}

// To another screen of the page that is open, as a link would go there.
export async function go(page, path) {
    await page.evaluate((to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }, path);
    await page.waitForFunction((to) => location.pathname + location.search === to && document.querySelector('main h1'), path);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30))));
    await settled(page);
}
