// One story on the host, as its people see it. Pictures of each step: screens/host-*.png.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { browser, end, enrol, fine, go, ok, open, quiet, settled, shot, totp } from '../web/browser.mjs';

const { XS_URL: url, XS_OPERATOR_KEY: bootstrap, XS_BUILD: build } = process.env;
const chrome = await browser(), once = Date.now(), guest = `shop-${once % 100000}`;
const PASSWORD = 'correct horse battery';

let step = 0;
const numbered = (name) => `host-${String(++step).padStart(2, '0')}-${name}`;

async function picture(page, name) {
    await fine(page, name);
    await shot(page, numbered(name));
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const badge = (page, word) => page.locator('.badge', { hasText: new RegExp(`^${word}$`) }).first();

// Who asks for a new operator has the first key and no browser.
async function operatorMade(name, role) {
    const answer = await fetch(`${url}/v1/admin/operators`, { method: 'POST', body: JSON.stringify({ name, role }),
        headers: { Authorization: `Bearer ${bootstrap}`, 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() } });
    return url + (await answer.json()).path;
}

async function operator(name, role) {
    const page = await open(chrome);
    const { secret } = await enrol(page, await operatorMade(name, role), name, PASSWORD);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return { page, name, secret };
}

// The code of the next half minute: that of this one was used to turn the second factor on, and none counts twice.
async function logIn({ page, name, secret }) {
    await button(page, 'Log out').click();
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(PASSWORD);
    await button(page, 'Log in').click();
    await page.getByLabel('Code').fill(await totp(page, secret, 1));
    await button(page, 'Log in').click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await settled(page);
    ok(await page.getByText(`${name}, admin`).count() === 1, 'an operator logs in with a password and a code');
    await picture(page, 'operator-overview');
    quiet(page, 'the overview');
}

async function voucher(page) {
    await go(page, '/console/bank');
    await button(page, 'Make a voucher').click();
    await page.getByLabel('Amount').fill('10.00');
    await button(page, 'Make voucher').click();
    return page.getByLabel('The code').textContent();
}

async function signUp(page, code) {
    await page.goto(`${url}/portal/signup`);
    await page.getByLabel('Name').fill('Ada Shops');
    await page.getByLabel('E-mail').fill(`ada.${once}@example.org`);
    await page.getByLabel('Password').fill(PASSWORD);
    await shot(page, 'host-00-sign-up');
    await button(page, 'Create account').click();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    await settled(page);
    await picture(page, 'first-home');
    await go(page, '/portal/wallet');
    await button(page, 'Redeem a voucher').click();
    await page.getByLabel('Voucher code').fill(code);
    await button(page, 'Redeem').click();
    await page.getByRole('cell', { name: '€10.00' }).waitFor();
    ok(true, 'a customer signs up and redeems the voucher that the operator made');
    await picture(page, 'wallet');
    quiet(page, 'sign-up');
}

async function create(page) {
    await go(page, '/portal/create');
    await page.getByLabel('Name').fill(guest);
    await page.getByRole('radio', { name: 'Tiny Linux Debian' }).check();
    await page.locator('.quote-total').waitFor();
    await picture(page, 'create');
    await button(page, 'Create instance').click();
    await page.getByRole('heading', { name: guest }).waitFor();
    await badge(page, 'running').waitFor();
    await page.getByText('the guest has answered').waitFor();
    ok(true, 'an instance is made, and its guest answers');
    await picture(page, 'running');
    quiet(page, 'an instance');
    return page.url().split('/').pop();
}

async function terminal(page, id) {
    const typed = 'xs-guest: typed in a browser';
    await go(page, `/portal/instances/${id}/console`);
    await page.getByText('xs-guest: ready').first().waitFor();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('echo typed in a browser\n');
    await page.getByText(typed, { exact: true }).first().waitFor();
    ok(true, 'the guest answers what is typed on its console');
    await picture(page, 'console');
    await page.reload();
    await page.getByText(typed, { exact: true }).first().waitFor();
    ok(await page.getByText('xs-guest: ready').count() > 0, 'after a reload the console has what was said before');
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('work 64\n');
    await page.getByText('xs-guest: work 64 MiB').first().waitFor();
    ok(true, 'and goes on');
    quiet(page, 'a console');
}

async function records(page) {
    await go(page, '/portal/usage');
    await page.getByRole('cell', { name: 'CPU' }).first().waitFor();
    await picture(page, 'usage');
    await page.getByRole('link', { name: `Records of ${guest}` }).click();
    await page.getByRole('heading', { name: 'Records' }).waitFor();
    await page.getByRole('button', { name: '✓ Verified' }).first().waitFor();
    ok(await page.getByRole('button', { name: '✗ Not verified' }).count() === 0, 'the records of its use are verified in the browser');
    await picture(page, 'records');
    quiet(page, 'records');
}

// Its counters as they stand, at a second that is after `after`.
async function counters(page, id, after = '') {
    const path = `/v1/instances/${id}/usage`;
    await page.waitForFunction(async ([from, was]) => (await (await fetch(from)).json()).as_of > was, [path, after], { polling: 500 });
    return page.evaluate(async (from) => (await fetch(from)).json(), path);
}

async function suspended(operator, page, id) {
    await go(operator, `/console/domains/${id}`);
    await button(operator, 'Suspend').click();
    await operator.locator('dialog').getByText('This pauses, at once').waitFor();
    await operator.getByLabel('Reason').fill('it sends mail that nobody asked for');
    await picture(operator, 'suspend');
    await operator.locator('dialog').getByRole('button', { name: 'Suspend' }).click();
    await operator.getByText('Suspended by an operator').waitFor();
    await shot(operator, numbered('suspended'));
    await go(page, `/portal/instances/${id}`);
    await page.locator('.badge', { hasText: /suspended/ }).first().waitFor();
    // What was sampled first may be older than the pause.
    const before = await counters(page, id), at = await counters(page, id, before.as_of), later = await counters(page, id, at.as_of);
    ok(at.guest_ns === later.guest_ns, 'an operator suspends the guest with a reason, and it stands still', `${at.guest_ns} ${later.guest_ns}`);
    const shown = await page.evaluate(async (path) => (await fetch(path)).json(), `/v1/instances/${id}`);
    ok(shown.meters_running.length === 0, 'and costs nothing meanwhile', JSON.stringify(shown.meters_running));
    await picture(page, 'stands-still');
    await button(operator, 'Resume').click();
    await operator.getByLabel('Reason').fill('it was a mistake');
    await operator.locator('dialog').getByRole('button', { name: 'Resume' }).click();
    await badge(page, 'running').waitFor();
    ok(true, 'and lets it go on, as its owner sees at once');
    quiet(operator, 'a suspension');
    quiet(page, 'a suspended instance');
}

async function remove(page, id) {
    await go(page, `/portal/instances/${id}`);
    await button(page, 'Delete').click();
    await button(page, 'Delete for ever').click();
    await page.getByRole('heading', { name: 'Instances' }).waitFor();
    await page.getByRole('link', { name: guest }).waitFor({ state: 'detached' });
    ok(true, 'the instance is deleted, and goes from the list');
    quiet(page, 'the end of an instance');
}

async function invoice(page) {
    await go(page, '/portal/invoices');
    await button(page, 'Invoice now').click();
    await button(page, 'Make it').click();
    await page.getByRole('heading', { name: /^Invoice \S+/ }).waitFor();
    await settled(page);
    await button(page, 'Verify in this browser').click();
    await page.locator('.verdict').waitFor();
    ok((await page.locator('.verdict').textContent()).includes('Verified: this invoice is right') && await page.locator('.checks-list .cross').count() === 0,
        'an invoice is made and verified in the browser', await page.locator('main').textContent());
    await picture(page, 'invoice-verified');
    quiet(page, 'an invoice');
}

// By the customer's own copy of xs-verify, with the keys that the page had.
async function bundle(page) {
    const folder = mkdtempSync(`${tmpdir()}/xs-browser-`);
    try {
        const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Bundle with proofs').click()]);
        await download.saveAs(`${folder}/bundle.tar`);
        writeFileSync(`${folder}/keys.txt`, await (await page.request.get(`${url}/log/keys.txt`)).text());
        const found = spawnSync(`${build}/client/xs-verify`, ['--key', `${folder}/keys.txt`, `${folder}/bundle.tar`], { encoding: 'utf8' });
        ok(found.status === 0, 'the bundle that the page saves is right for xs-verify too', found.stdout + found.stderr);
        ok(/\.tar$/.test(download.suggestedFilename()), 'and has its name', download.suggestedFilename());
    } finally {
        rmSync(folder, { recursive: true });
    }
}

// Prices from tomorrow on: what runs on this host now is billed as before.
async function prices(first, second) {
    await go(first, '/console/prices');
    await button(first, 'Propose a book').click();
    const area = first.getByLabel('The book');
    const book = JSON.parse(await area.inputValue());
    book.valid_from = new Date(once + 86400000).toISOString().replace(/[.]\d+/, '');
    book.meters[0].num_nano = '1100';
    await area.fill(JSON.stringify(book, null, 2));
    await button(first, 'Propose').click();
    await first.getByRole('heading', { name: `Price book ${book.version}` }).waitFor();
    await settled(first);
    await picture(first, 'book-proposed');
    await button(first, 'Publish').click();
    await first.locator('dialog').getByRole('button', { name: 'Publish' }).click();
    ok((await first.locator('dialog [role=alert]').textContent()).includes('another operator'), 'who proposes prices cannot publish them');
    await go(second, `/console/prices/${book.version}`);
    await button(second, 'Publish').click();
    await second.locator('dialog').getByRole('button', { name: 'Publish' }).click();
    await badge(second, 'published').waitFor();
    ok(true, 'a second operator publishes them');
    await picture(second, 'book-published');
    quiet(first, 'a proposal');
    quiet(second, 'a publication');
}

const [grace, mary] = [await operator(`Grace ${once}`, 'admin'), await operator(`Mary ${once}`, 'billing')];
await logIn(grace);
const code = await voucher(grace.page), page = await open(chrome);
await signUp(page, code);
const id = await create(page);
await terminal(page, id);
await records(page);
await suspended(grace.page, page, id);
await remove(page, id);
await invoice(page);
await bundle(page);
await prices(grace.page, mary.page);
await chrome.close();
end();
