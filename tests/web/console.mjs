// What an operator sees and does. Each screen in light and dark and on a phone; money in, prices by two, a dispute decided.

import { accessible, browser, end, enrol, fine, fits, go, host, ok, open, quiet, settled, shot } from './browser.mjs';

const here = await host(), chrome = await browser();

async function logIn(page, key) {
    await page.goto(`${here.url}/console/`);
    await page.getByRole('button', { name: 'Log in with an API key' }).click();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await settled(page);
}

async function first(page, path) {
    const answer = await page.context().request.fetch(`${here.url}${path}`, { headers: { Authorization: `Bearer ${here.operator_key}` } });
    return (await answer.json()).data[0].id;
}

const SCREENS = async (page) => ({ overview: '', alerts: 'alerts', events: 'events', customers: 'customers', customer: `customers/${here.account}`,
    customer_instances: `customers/${here.account}?tab=instances`, customer_money: `customers/${here.account}?tab=money`, customer_invoices: `customers/${here.account}?tab=invoices`,
    customer_access: `customers/${here.account}?tab=access`, host: 'host', domains: 'domains', domain: `domains/${here.instance}`, suspensions: 'suspensions', disputes: 'disputes',
    dispute: `disputes/${await first(page, '/v1/admin/disputes')}`, prices: 'prices', price_book: 'prices/2', bank: 'bank', invoices: 'invoices', invoice: `invoices/${await first(page, '/v1/admin/invoices')}`,
    credit_notes: 'credit_notes', ledger: 'ledger', transfers: 'ledger/revenue:net_bytes_out', record: 'records/3', reconciliation: 'reconciliation', operators: 'operators', security: 'security', audit: 'audit' });

async function screens(theme, size) {
    const page = await open(chrome, { theme, size });
    await logIn(page, here.operator_key);
    for (const [name, path] of Object.entries(await SCREENS(page))) {
        const where = `${name}, ${theme}, ${size}`;
        await go(page, `/console/${path}`);
        await accessible(page, where);
        await fits(page, where);
        await fine(page, where);
        await shot(page, `console-${name}-${theme}-${size}`);
        quiet(page, where);
    }
    await page.context().close();
}

async function wrongDoor() {
    const page = await open(chrome);
    await page.goto(`${here.url}/console/`);
    await page.getByRole('heading', { name: 'Operators' }).waitFor();
    await shot(page, 'console-login');
    await accessible(page, 'the door');
    await page.getByRole('button', { name: 'Log in with an API key' }).click();
    await page.getByLabel('API key').fill(here.key);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('alert').waitFor();
    ok(await page.getByRole('navigation').count() === 0, 'a customer\'s key opens nothing here');
    await page.context().close();
}

async function credit(page) {
    await go(page, `/console/customers/${here.account}`);
    await page.getByRole('button', { name: 'Give credit' }).click();
    await page.getByLabel('Amount').fill('12.345678901234');
    await page.getByLabel('Reason').fill('for the trouble');
    await page.getByRole('button', { name: 'Give credit' }).last().click();
    await page.locator('dialog .wrong').waitFor();
    ok(true, 'a wrong amount is told at its field');
    await page.getByLabel('Amount').fill('12.50');
    await page.getByRole('button', { name: 'Give credit' }).last().click();
    await page.getByText('The credit is in the wallet').waitFor();
    await go(page, '/console/ledger/host:deposits:credit');
    ok(await page.getByText('for the trouble').count() === 1, 'a credit stands in the ledger with its reason');
    quiet(page, 'a credit');
}

// The customer's money adds up on the page, and a key that an operator revokes opens nothing.
async function customer(page) {
    await go(page, `/console/customers/${here.account}`);
    ok(await page.locator('.stats').getByText('Funded, ever').count() === 1 && await page.getByText('Stopped for want of money').count() === 1, 'a customer\'s money and risk at a glance');
    await page.getByRole('link', { name: 'Keys and people' }).click();
    await page.locator('tr', { hasText: 'Monitoring' }).getByRole('button', { name: 'Revoke' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.locator('tr', { hasText: 'Monitoring' }).locator('.badge', { hasText: 'revoked' }).waitFor();
    ok(true, 'an operator revokes a customer\'s key');
    quiet(page, 'a customer');
}

// Suspended with a look at what it stops and a reason, it says so until it is resumed.
async function suspending(page) {
    await go(page, `/console/customers/${here.account}`);
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.locator('dialog').getByText('This pauses, at once:').waitFor();
    ok(await page.locator('dialog').getByText(here.instance).count() === 1, 'an operator sees what a suspension would stop');
    await accessible(page, 'a suspension');
    await shot(page, 'console-suspend');
    await page.getByLabel('Reason').fill('Sends spam since Monday');
    await page.locator('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await go(page, '/console/suspensions');
    ok(await page.getByText('Sends spam since Monday').count() === 1, 'a suspended customer is listed with the reason');
    await go(page, `/console/domains/${here.instance}`);
    await page.getByText('Suspended by an operator.').waitFor();
    await shot(page, 'console-domain-suspended');
    const numbers = () => page.locator('.table[aria-label=Records] tbody td:first-child').allTextContents();
    await page.locator('.table[aria-label=Records]').waitFor();
    const all = await numbers();
    await go(page, `/console/domains/${here.instance}?after=${all[0]}`);
    await page.getByRole('button', { name: 'First page' }).waitFor();
    const later = await numbers();
    ok(later.length >= 1 && !later.includes(all[0]) && later[0] === all[1], `a domain's records go on where a page ends: ${all} then ${later}`);
    await page.getByRole('button', { name: 'First page' }).click();
    await page.getByRole('button', { name: 'First page' }).waitFor({ state: 'detached' });
    await page.waitForFunction((first) => document.querySelector('.table[aria-label=Records] tbody td')?.textContent === first, all[0]);
    ok((await numbers())[0] === all[0], 'and begin again');
    await go(page, `/console/customers/${here.account}`);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByLabel('Reason').fill('It was the neighbour');
    await page.locator('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Suspend' }).waitFor();
    await go(page, '/console/audit');
    ok(await page.getByText('Sends spam since Monday').count() === 1 && await page.getByText('It was the neighbour').count() === 1, 'both reasons are in the audit log');
    quiet(page, 'a suspension');
}

async function pricesByTwo(page) {
    const second = await open(chrome);
    await logIn(second, here.second_operator_key);
    for (const one of [second, page]) {
        await go(one, '/console/prices/2');
        await one.getByRole('button', { name: 'Publish' }).click();
        await one.locator('dialog').getByRole('button', { name: 'Publish' }).click();
        if (one === second)
            ok(await one.locator('dialog [role=alert]').textContent().then((words) => words.includes('another operator')), 'who proposed a book cannot publish it');
    }
    await page.getByText('Version 2: done').waitFor();
    await page.locator('.badge', { hasText: 'published' }).waitFor();
    ok(true, 'another operator publishes it');
    await shot(page, 'console-price-book-published');
    await second.context().close();
    quiet(page, 'a price book');
}

async function bank(page) {
    await go(page, '/console/bank');
    await page.getByRole('button', { name: 'Import a statement' }).click();
    await page.getByLabel('Statement (camt.053)').setInputFiles(`${process.env.XS_TOP}/tests/accountd/funding/unmatched.xml`);
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.locator('dialog dt', { hasText: 'In suspense' }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Assign' }).first().click();
    await page.getByLabel('Customer', { exact: true }).fill(here.account);
    await page.locator('dialog').getByRole('button', { name: 'Assign' }).click();
    await page.locator('td .badge', { hasText: 'assigned' }).first().waitFor();
    ok(true, 'a payment that nobody was found for is given to a customer');
    await shot(page, 'console-bank-entries');
    quiet(page, 'the bank');
}

// From a line of the ledger to the record that it charges, checked in the browser, and on to the counters of its guest.
async function toTheCounter(page) {
    await go(page, '/console/ledger/revenue:cpu_used');
    await page.getByRole('link', { name: /^leaf / }).first().click();
    await page.getByRole('button', { name: 'Verified' }).waitFor();
    const used = await page.locator('tr', { hasText: /^guest_ns/ }).locator('td').last().textContent();
    ok(/^[1-9]/.test(used), `a line of the ledger leads to its record, which is checked here: ${used} ns`);
    await shot(page, 'console-record-of-a-line');
    await page.locator('main').getByRole('link', { name: here.instance }).click();
    await page.getByText('Raw counters').waitFor();
    ok(await page.locator('main dt', { hasText: 'guest_ns' }).count() === 1, 'and that to the raw counters');
    await page.getByRole('region', { name: 'Records' }).getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Counters' }).waitFor();
    ok(true, 'from where each record is one step away');
    quiet(page, 'from a line to the counter');
}

async function accepted(page) {
    const headers = { Authorization: `Bearer ${here.key}`, 'Idempotency-Key': crypto.randomUUID() };
    const made = await page.context().request.post(`${here.url}/v1/disputes`, { headers, data: { invoice_id: await first(page, '/v1/admin/invoices'), line: 8, reason: 'Not sent by me' } });
    await go(page, `/console/disputes/${(await made.json()).id}`);
    await page.getByLabel('Outcome').selectOption('accepted');
    await page.getByLabel('What goes back').selectOption('8');
    await page.getByLabel('Amount, without tax').fill('0.10');
    await page.getByLabel('Reason').fill('For the trouble.');
    await shot(page, 'console-dispute-accept');
    await page.getByRole('button', { name: 'Decide' }).click();
    await page.locator('.badge', { hasText: 'accepted' }).waitFor();
    await go(page, '/console/credit_notes');
    ok(await page.locator('main tbody tr').count() === 1, 'one that is accepted gives back what the operator names, by a credit note');
}

async function dispute(page) {
    await go(page, `/console/disputes/${await first(page, '/v1/admin/disputes')}`);
    await page.getByLabel('Reason').fill('Your guest ran, as its records say.');
    await page.getByRole('button', { name: 'Decide' }).click();
    await page.locator('.badge', { hasText: 'rejected' }).waitFor();
    ok(await page.getByText('Your guest ran').count() === 1, 'a dispute is decided with a reason');
    await accepted(page);
    quiet(page, 'a dispute');
}

// A new operator by name: a link, a password, the second factor before anything else, and then the role's limits.
async function person(page) {
    await go(page, '/console/operators');
    await page.getByRole('button', { name: 'New operator' }).click();
    await page.getByLabel('Name').fill('Grace');
    await page.getByLabel('Role').selectOption('support');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    const link = await page.getByLabel('The secret').textContent();
    const grace = await open(chrome);
    await enrol(grace, link, 'Grace', 'nanoseconds of wire', async (step) => {
        if (step === 'second-factor') {
            ok(await grace.getByRole('navigation').count() === 0, 'an operator without a second factor gets nowhere');
            await accessible(grace, 'the second factor');
        }
        await shot(grace, `console-${step}`);
    });
    await grace.getByRole('heading', { name: 'Overview' }).waitFor();
    ok(await grace.getByText('Grace, support').count() === 1, 'with it she is in, by name and role');
    await go(grace, '/console/bank');
    await grace.getByText('Moving money takes the role billing; yours is support.').waitFor();
    ok(await grace.getByRole('button', { name: /voucher|statement/ }).count() === 0, 'her role moves no money, and she is told so in place of a button');
    await accessible(grace, 'what a role may not do');
    await shot(grace, 'console-role');
    await go(grace, `/console/customers/${here.account}`);
    ok(await grace.getByRole('button', { name: 'Make a key' }).count() === 1 && await grace.getByRole('button', { name: 'Give credit' }).count() === 0, 'it helps customers');
    ok(await grace.evaluate(async () => (await fetch('/v1/admin/vouchers', { method: 'POST' })).status) === 403, 'what the page does not offer, the api refuses');
    await go(grace, '/console/security');
    await grace.getByText('this one').waitFor();
    ok(await grace.getByLabel('New password').count() === 1, 'she sees her sessions and changes her own password');
    await accessible(grace, 'her security');
    await shot(grace, 'console-security-person');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.locator('tr', { hasText: 'Grace' }).getByRole('button', { name: 'Role' }).click();
    await page.locator('dialog').getByLabel('Role').selectOption('billing');
    await page.locator('dialog').getByRole('button', { name: 'Change' }).click();
    await page.locator('tr', { hasText: 'Grace' }).getByText('billing').waitFor();
    ok(true, 'her role is changed, which holds at once');
    quiet(grace, 'an operator by name');
    await grace.context().close();
}

// What operators do is in a chain that the page works out again; a row that was changed on the way breaks it.
async function audit(page) {
    await go(page, '/console/audit');
    await page.getByText('The chain holds').waitFor();
    ok(true, 'the audit log\'s chain is checked here');
    await page.route('**/v1/admin/audit?*', async (route) => {
        const answer = await route.fetch(), body = await answer.json();
        body.data[1].record = body.data[1].record.replace(/"status":2/, '"status":4');
        await route.fulfill({ response: answer, json: body });
    });
    await go(page, '/console/');
    await go(page, '/console/audit');
    await page.getByText('The chain is broken at row').waitFor();
    ok(true, 'and a changed row breaks it');
    await page.unroute('**/v1/admin/audit?*');
    quiet(page, 'the audit log');
}

await wrongDoor();
for (const [theme, size] of [['light', 'desk'], ['dark', 'desk'], ['light', 'phone']])
    await screens(theme, size);
const page = await open(chrome);
await logIn(page, here.operator_key);
for (const part of [person, credit, customer, toTheCounter, suspending, pricesByTwo, bank, dispute, audit])
    await part(page);
await chrome.close();
await here.stop();
end();
