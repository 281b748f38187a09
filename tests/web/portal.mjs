// What a customer sees and does. Each screen in light and dark and on a phone; what is verified is verified, and what was
// tampered with is not; what customers name stays text.

import { accessible, browser, end, fetched, fine, fits, go, host, ok, open, quiet, settled, shot, turnOn } from './browser.mjs';

const FIRST_VIEW_BYTES = 150 * 1024;
const NASTY = '<img src=x onerror="document.title=1"><script>document.title=2</script>\'"&amp;';

const here = await host(), chrome = await browser();

async function logIn(page) {
    await page.goto(`${here.url}/portal/`);
    await page.getByRole('button', { name: 'Log in with an API key' }).click();
    await page.getByLabel('API key').fill(here.key);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await settled(page);
}

// As a program would ask.
async function api(page, key, method, path, data) {
    const answer = await page.context().request.fetch(`${here.url}${path}`, { method, data, headers: { Authorization: `Bearer ${key}`, 'Idempotency-Key': crypto.randomUUID() } });
    return answer.json();
}

async function firstView() {
    const page = await open(chrome), sum = await fetched(page);
    await page.goto(`${here.url}/portal/`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await shot(page, 'portal-login');
    await accessible(page, 'login');
    await page.getByRole('button', { name: 'Log in with an API key' }).click();
    await page.getByLabel('API key').fill('xs_live_0000000000000000000000000000000000000000');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    ok(await page.getByRole('alert').textContent().then((words) => words.includes('not known')), 'a wrong key is refused in words');
    await logIn(page);
    ok(sum.bytes > 10000 && sum.bytes <= FIRST_VIEW_BYTES, `the first view, login and home: ${sum.bytes} bytes in ${sum.files} answers`);
    quiet(page, 'login and home');
    await page.context().close();
}

const invoice = async (page) => (await api(page, here.key, 'GET', '/v1/invoices')).data[0].id;

const SCREENS = async (page) => ({ home: '', instances: 'instances', create: 'create', instance: `instances/${here.instance}`, firewall: `instances/${await reachable(page)}`, ssh_keys: 'ssh_keys', usage: 'usage',
    records: `records/${here.instance}`, wallet: 'wallet', orders: 'orders', budgets: 'budgets', invoices: 'invoices', draft: 'invoices/draft',
    invoice: `invoices/${await invoice(page)}`, disputes: 'disputes', keys: 'keys', volumes: 'volumes', snapshots: 'snapshots', networks: 'networks', projects: 'projects', members: 'members', account: 'account', security: 'security', webhooks: 'webhooks', audit: 'audit', nowhere: 'no/such/page' });

async function screens(theme, size) {
    const page = await open(chrome, { theme, size });
    await logIn(page);
    for (const [name, path] of Object.entries(await SCREENS(page))) {
        const where = `${name}, ${theme}, ${size}`;
        await go(page, `/portal/${path}`);
        await accessible(page, where);
        await fits(page, where);
        await fine(page, where, name === 'nowhere');
        await shot(page, `portal-${name}-${theme}-${size}`);
        quiet(page, where);
    }
    await page.context().close();
}

async function createInstance(page) {
    await go(page, '/portal/create');
    await page.getByText('per hour').waitFor();
    const cheap = await page.locator('.quote-total').textContent();
    await page.getByLabel(/How busy/).fill('100');
    await page.waitForFunction((was) => document.querySelector('.quote-total') && document.querySelector('.quote-total').textContent !== was, cheap);
    ok(true, 'the quote follows the form');
    await page.getByLabel('Name').fill('by-browser');
    ok((await page.getByLabel('The xs command').textContent()).startsWith('xs create by-browser --image '), 'the equal command follows the form');
    await page.getByRole('button', { name: 'Create instance' }).click();
    await page.getByRole('heading', { name: 'by-browser' }).waitFor();
    await page.locator('.badge', { hasText: 'running' }).first().waitFor();
    ok(true, 'an instance is made and runs');
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByText('Suspend: done').waitFor();
    await page.locator('.badge', { hasText: 'suspended' }).first().waitFor();
    ok(true, 'and is suspended');
    await page.getByRole('button', { name: 'Power off' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Power off' }).click();
    await page.locator('.badge', { hasText: 'stopped' }).first().waitFor();
    await page.getByRole('button', { name: 'Resize' }).click();
    await page.locator('dialog').getByLabel('Size').selectOption('xs2');
    await shot(page, 'portal-resize');
    await page.locator('dialog').getByRole('button', { name: 'Resize' }).click();
    await page.getByText('2 vCPU, 256 MiB (xs2)').waitFor();
    ok(true, 'stopped it takes another size');
    await page.getByRole('button', { name: 'Rebuild' }).click();
    await page.locator('dialog').getByLabel('Image').waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Rebuild' }).click();
    await page.getByText('Rebuild: done').waitFor();
    ok(true, 'and is made anew from an image');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('.badge', { hasText: 'running' }).first().waitFor();
    await page.getByRole('region', { name: 'What was done' }).getByText('Started').waitFor();
    const done = await page.getByRole('region', { name: 'What was done' }).locator('tbody td:nth-child(2)').allTextContents();
    ok(done.join() === 'Started,Rebuilt,Resized,Powered off,Suspended,Created', `what was done to it, the newest first: ${done}`);
    await shot(page, 'portal-timeline');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    ok(true, 'Escape closes a dialog');
    ok(await page.evaluate(() => document.activeElement.textContent) === 'Delete', 'and the focus is where it was');
    quiet(page, 'an instance');
}

// Home shows what happens elsewhere as it happens: its own asking again would take a minute.
async function live(page) {
    await go(page, '/portal/');
    await api(page, here.key, 'POST', '/v1/instances', { name: 'from-elsewhere', image: 'tiny', flavor: 'xs1' });
    await page.getByRole('link', { name: 'from-elsewhere' }).first().waitFor({ timeout: 15000 });
    ok(true, 'what happens elsewhere is shown as it happens');
    quiet(page, 'events');
}

// Counters that grow by a second of CPU and a MiB sent in each second of the clock.
async function graphs(page) {
    let look = 0;
    await page.route(`**/v1/instances/${here.instance}/usage`, async (route) => {
        const answer = await route.fetch(), body = await answer.json();
        look++;
        await route.fulfill({ response: answer, json: { ...body, as_of: new Date(1795450000000 + look * 5000).toISOString(), guest_ns: String(5e9 * look), hv_ns: '0', net_tx_bytes: String(5 * 1048576 * look), net_rx_bytes: '0' } });
    });
    await go(page, `/portal/instances/${here.instance}`);
    await page.getByRole('img', { name: 'CPU: 100 % now, at most 100 %' }).waitFor();
    ok(await page.getByRole('img', { name: 'Network: 1 MiB/s now, at most 1 MiB/s' }).count() === 1, 'rates are drawn from the counters');
    await shot(page, 'portal-graphs');
    await page.unroute(`**/v1/instances/${here.instance}/usage`);
    quiet(page, 'graphs');
}

async function money(page) {
    const voucher = await api(page, here.operator_key, 'POST', '/v1/admin/vouchers', { amount: '5.00' });
    await go(page, '/portal/wallet');
    await page.getByRole('button', { name: 'Redeem a voucher' }).click();
    await page.getByLabel('Voucher code').fill('XSV-WRONG');
    await page.getByRole('button', { name: 'Redeem', exact: true }).click();
    ok(await page.locator('dialog [role=alert]').textContent().then((words) => words.length > 10), 'a wrong voucher is refused in words');
    await page.getByLabel('Voucher code').fill(voucher.code);
    await page.getByRole('button', { name: 'Redeem', exact: true }).click();
    await page.getByText('The voucher is in your wallet').waitFor();
    await page.getByRole('cell', { name: '€5.00' }).waitFor();
    ok(true, 'a voucher is redeemed and stands among the entries');
    quiet(page, 'the wallet');
}

// The last bit of the last digit of the first counter that a record ends with.
const bent = (leaf) => leaf.replace(/"guest_ns_1":"(\d*)(\d)"/, (all, most, last) => `"guest_ns_1":"${most}${Number(last) ^ 1}"`);

async function recordsChecked(page) {
    await go(page, `/portal/records/${here.instance}`);
    await page.getByRole('button', { name: '✓ Verified' }).first().waitFor();
    ok(await page.getByRole('button', { name: '✗ Not verified' }).count() === 0, 'records are verified here');
    await page.route('**/v1/usage/records?*', async (route) => {
        const answer = await route.fetch(), body = await answer.json();
        body.data[1].leaf = bent(body.data[1].leaf);
        await route.fulfill({ response: answer, json: body });
    });
    await go(page, '/portal/usage');
    await go(page, `/portal/records/${here.instance}`);
    const cross = page.getByRole('button', { name: '✗ Not verified' });
    await cross.waitFor();
    ok(await cross.count() === 1, 'one flipped bit in one record gives that one a cross');
    await cross.click();
    ok(await page.locator('dialog .cross').count() === 1 && await page.getByText('the record is not what was hashed').count() === 1, 'which says why');
    await shot(page, 'portal-record-tampered');
    await page.unroute('**/v1/usage/records?*');
    quiet(page, 'records');
}

// What the page says of the bundle after `bend` had it; `bend` may change its bytes.
async function verdict(page, id, bend) {
    await page.route('**/bundle', async (route) => {
        const answer = await route.fetch(), body = await answer.body();
        bend(body);
        await route.fulfill({ response: answer, body });
    });
    await go(page, '/portal/invoices');
    await go(page, `/portal/invoices/${id}`);
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.locator('.verdict').waitFor();
    await page.unroute('**/bundle');
    return page.locator('.verdict').textContent();
}

async function invoiceChecked(page) {
    const id = await invoice(page);
    let size = 0;
    ok((await verdict(page, id, (bytes) => { size = bytes.length; })).includes('Verified: this invoice is right'), 'an invoice is verified here');
    ok(await page.locator('.checks-list .tick').count() === 7, 'in seven steps');
    await shot(page, 'portal-invoice-verified');
    await accessible(page, 'a verified invoice');
    let caught = 0;
    const tries = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => Math.floor(part * size));
    for (let at of tries)
        caught += (await verdict(page, id, (bytes) => { while (!bytes[at]) at++; bytes[at] ^= 1; }).catch(() => '')).includes('Not verified');
    ok(caught === tries.length, `a flipped bit anywhere in the bundle is noticed: ${caught} of ${tries.length}`);
    const amount = (bytes) => { const at = bytes.indexOf('"total_nano":"') + 14; bytes[at] ^= 1; };
    ok((await verdict(page, id, amount)).includes('Not verified'), 'so is another total');
    ok(await page.locator('.checks-list .cross').count() === 1, 'a cross stands at the step that failed');
    await shot(page, 'portal-invoice-tampered');
    quiet(page, 'an invoice');
}

// Whatever a customer can name comes back as text.
async function names(page) {
    const shown = async (path, words) => {
        await go(page, path);
        ok(await page.getByText(NASTY).count() > 0, `${words}: markup is shown as it was typed`);
        ok(await page.evaluate(() => !document.querySelector('main img, main script') && !/^[12]$/.test(document.title)), `${words}: and does nothing`);
    };
    await api(page, here.key, 'POST', '/v1/purchase_orders', { name: NASTY, amount: '0.01' });
    await shown('/portal/orders', 'a purchase order');
    await api(page, here.key, 'POST', '/v1/keys', { name: NASTY, scopes: ['account:read'] });
    await shown('/portal/keys', 'a key');
    await api(page, here.key, 'POST', '/v1/disputes', { invoice_id: await invoice(page), reason: NASTY, line: 2 });
    await shown('/portal/disputes', 'a dispute');
    quiet(page, 'names');
}

async function keyboard(page) {
    await go(page, '/portal/');
    const first = page.locator('a, button, input').first();
    await first.focus();
    ok(await first.textContent() === 'Skip to the content' && (await first.boundingBox()).x >= 0, 'the first thing a keyboard meets is the way to the content');
    await page.getByRole('button', { name: 'Dark theme' }).click();
    ok(await page.evaluate(() => document.documentElement.dataset.theme) === 'dark', 'the theme can be chosen');
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    ok(await page.evaluate(() => document.documentElement.dataset.theme) === 'dark', 'and stays chosen');
    ok(await page.evaluate(() => Object.values(localStorage).concat(Object.values(sessionStorage)).every((text) => !text.includes('xs_live_'))), 'a pasted key is nowhere once the page is gone');
}

// The terminal with a console that this test plays, as the contract describes it: what the guest writes is shown, what is typed
// arrives, and after a lost connection it goes on at the byte where it was.
async function terminal(page) {
    const begun = [], typed = [];
    let now = null, tickets = 0;
    await page.route('**/console_sessions', (route) => route.fulfill({ status: 201, json: { ticket: `t${tickets}`, url: `/v1/console/t${tickets++}`, expires_at: '2099-01-01T00:00:00Z' } }));
    await page.routeWebSocket(/\/v1\/console\//, (socket) => {
        now = socket;
        socket.onMessage((message) => {
            if (typeof message !== 'string') {
                typed.push(String(message));
                return;
            }
            const said = JSON.parse(message);
            if (said.replay_from === undefined)
                return;
            begun.push(said.replay_from);
            socket.send(JSON.stringify({ offset: said.replay_from < 0 ? 100 : said.replay_from }));
            socket.send(JSON.stringify({ viewers: 2 }));
            socket.send(Buffer.from(said.replay_from < 0 ? '\x1b[38;2;90;200;90mlogin:\x1b[0m ' : 'and on '));
        });
    });
    await page.route(`**/v1/instances/${here.instance}`, (route) => route.fulfill({ json: { id: here.instance, name: 'guest', state: 'running' } }));
    await go(page, `/portal/instances/${here.instance}/console`);
    await page.getByText('login:').first().waitFor();
    ok(await page.getByText('2 viewers').count() === 1, 'a console shows what the guest writes and who else looks');
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('ls');
    await page.keyboard.press('Enter');
    await now.close();
    await page.getByText('and on').first().waitFor();
    ok(typed.join('') === 'ls\r', 'what is typed goes to the guest', JSON.stringify(typed));
    ok(begun.length === 2 && begun[0] < 0 && begun[1] === 100 + '\x1b[38;2;90;200;90mlogin:\x1b[0m '.length, 'a lost connection goes on at its byte', JSON.stringify(begun));
    const colour = await page.evaluate(() => [...document.querySelectorAll('.xterm-rows span')].some((one) => getComputedStyle(one).color === 'rgb(90, 200, 90)'));
    ok(colour, 'colours are shown under the policy');
    await shot(page, 'portal-console');
    await accessible(page, 'a console');
    await page.keyboard.press('Shift+Tab');
    ok(await page.evaluate(() => !document.activeElement.closest('.console-place')), 'a keyboard gets out of it');
    quiet(page, 'a console');
}

async function reset(page, email) {
    const { data } = await api(page, here.operator_key, 'GET', '/v1/admin/customers?limit=1000');
    const link = await api(page, here.operator_key, 'POST', `/v1/admin/customers/${data.find((one) => one.name === NASTY).id}/password_reset`, { email });
    await page.goto(here.url + link.path);
    await page.getByLabel('New password').fill('another horse battery');
    ok(!page.url().includes('#'), 'a link\'s token does not stay in the address');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
}

// A person: signs up, is known after a reload, and leaves.
async function person() {
    const page = await open(chrome), email = `ada.${Date.now()}@example.org`;
    await page.goto(`${here.url}/portal/signup`);
    const fill = async (name, address, password) => {
        await page.getByLabel('Name').fill(name);
        await page.getByLabel('E-mail').fill(address);
        await page.getByLabel('Password').fill(password);
        await page.getByRole('button', { name: 'Create account' }).click();
    };
    await fill(NASTY, email, 'short');
    ok(await page.locator('.field.wrong .error').textContent().then((words) => words.includes('12')), 'a short password is refused beside its field');
    await shot(page, 'portal-signup');
    await accessible(page, 'sign-up');
    await fill(NASTY, email, 'correct horse battery');
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    ok(await page.getByText(email).count() === 1, 'signed up and logged in');
    ok((await page.context().cookies()).every((cookie) => cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict'), 'by a cookie that no script reads');
    await page.goto(`${here.url}/portal/budgets`);
    await settled(page);
    await page.getByRole('button', { name: 'New budget' }).click();
    await page.getByLabel('Amount of a month').fill('5.00');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: '€5.00 a month' }).waitFor();
    ok(true, 'is known after a reload, and may change things');
    await terminal(page);
    await go(page, '/portal/security');
    ok(await page.getByText('this one').count() === 1, 'sees where she is logged in');
    await shot(page, 'portal-security-person');
    await accessible(page, 'security');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill('a wrong password');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    ok(true, 'leaves, and comes back with the right password only');
    await go(page, '/portal/security');
    await page.getByRole('button', { name: 'Turn on' }).click();
    const { codes } = await turnOn(page, 'correct horse battery');
    await page.locator('.badge', { hasText: /^on$/ }).waitFor();
    ok(codes.length === 10, 'turns on a second factor, and gets ten recovery codes');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await reset(page, email);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill('another horse battery');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByLabel('Code').fill(codes[0]);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('heading', { name: /Home|Security/ }).waitFor();
    ok(true, 'a password set by a link, and a recovery code, open the door');
    quiet(page, 'a person');
    await page.context().close();
}

// Disks: made, attached, kept at a moment, and made again from that.
async function disks(page) {
    await go(page, '/portal/volumes');
    await page.getByRole('button', { name: 'New volume' }).click();
    await page.getByLabel('Name').fill('data');
    await page.getByLabel('Size, GiB').fill('1');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    const row = page.getByRole('row', { name: /^data/ });
    await row.waitFor();
    await row.getByRole('button', { name: 'Attach' }).click();
    await page.getByLabel('To', { exact: true }).selectOption({ label: 'web-1 (running)' });
    await page.locator('dialog').getByRole('button', { name: 'Attach' }).click();
    await row.getByRole('link', { name: 'web-1' }).waitFor();
    ok(true, 'a volume is made and attached');
    await row.getByRole('button', { name: 'Snapshot' }).click();
    await page.getByLabel('Name').fill('monday');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await go(page, '/portal/snapshots');
    await page.getByRole('button', { name: 'New volume of it' }).click();
    await page.getByLabel('Name').fill('from-monday');
    await page.getByRole('button', { name: 'Create volume' }).click();
    await page.getByRole('row', { name: /^from-monday/ }).waitFor();
    ok(true, 'a snapshot is kept, and a volume made of it');
    quiet(page, 'disks');
}

async function ports(page) {
    await api(page, here.key, 'POST', '/v1/instances', { name: 'reachable', image: 'tiny', flavor: 'xs1', network: true });
    await go(page, '/portal/networks');
    await page.getByRole('button', { name: 'Open a port' }).click();
    await page.getByLabel('Instance').selectOption({ label: 'reachable' });
    await page.getByLabel(/TCP port/).fill('443');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByText(', port 443').waitFor();
    ok(true, 'a port is opened');
    quiet(page, 'ports');
}

// What is asked for by a click: its ETag of what was shown goes with it.
async function putBy(page, button) {
    const [sent] = await Promise.all([page.waitForRequest((request) => request.method() === 'PUT'), button.click()]);
    return sent.headers()['if-match'];
}

const reachable = async (page) => (await api(page, here.key, 'GET', '/v1/instances')).data.find(({ name }) => name === 'reachable').id;

async function firewall(page) {
    await go(page, `/portal/instances/${await reachable(page)}`);
    const dialog = page.locator('dialog'), rows = page.getByRole('region', { name: 'Firewall' });
    const button = (name) => dialog.getByRole('button', { name, exact: true });
    await page.getByText('Open ports are open to all').waitFor();
    await page.getByRole('button', { name: 'Turn on' }).click();
    await dialog.getByLabel('Let port 22 in, for ssh').uncheck();
    await dialog.getByText('ssh does not reach this instance any more').waitFor();
    await accessible(page, 'a firewall that locks out');
    await shot(page, 'portal-firewall-warning');
    await dialog.getByLabel('Let port 22 in, for ssh').check();
    ok(await dialog.getByText('ssh does not reach').count() === 0, 'who closes port 22 is warned, who lets it in is not');
    ok(/^"[0-9a-f]+"$/.test(await putBy(page, button('Turn on'))), 'what somebody else has written meanwhile is not overwritten');
    await page.getByText('What no rule lets in is dropped; all goes out').waitFor();
    await rows.getByRole('row', { name: /in TCP 22 everywhere/ }).waitFor();
    ok(true, 'a firewall is turned on, with a rule for ssh');
    await page.getByRole('button', { name: 'Add a rule' }).click();
    await dialog.getByLabel('Ports').fill('0');
    await button('Add').click();
    await dialog.locator('input[aria-invalid]').waitFor();
    ok(await dialog.getByLabel('Ports').getAttribute('aria-invalid') === 'true', 'a port that is none is wrong at its field');
    await shot(page, 'portal-firewall-refused');
    await dialog.getByLabel('Ports').fill('8000-8010');
    await dialog.getByLabel('From').fill('10.0.0.1/8');
    await button('Add').click();
    await dialog.locator('input[aria-invalid]').and(dialog.getByLabel('From')).waitFor();
    await dialog.getByLabel('From').fill('10.0.0.0/8');
    await dialog.getByLabel('Note').fill(NASTY);
    await button('Add').click();
    await rows.getByRole('row', { name: /in TCP 8000-8010 10\.0\.0\.0\/8/ }).waitFor();
    ok(true, 'so is a network; corrected, the rule is there');
    await page.getByRole('button', { name: 'Add a rule' }).click();
    await dialog.getByLabel('Which way').selectOption('outbound');
    await dialog.getByLabel('Protocol').selectOption('icmp');
    await dialog.getByText('With this one, nothing else does').waitFor();
    ok(await dialog.getByLabel('Ports').count() === 0, 'the first rule for the way out says what it does; ICMP has no ports');
    await button('Add').click();
    await rows.getByRole('row', { name: /out ICMP everywhere Remove/ }).waitFor();
    await rows.getByRole('row', { name: /in TCP 22/ }).getByRole('button', { name: 'Remove' }).click();
    await dialog.getByText('ssh does not reach this instance any more').waitFor();
    await button('Remove').click();
    await rows.getByRole('row', { name: /in TCP 22/ }).waitFor({ state: 'detached' });
    ok(true, 'a rule is removed, with a warning where it was for ssh');
    quiet(page, 'a firewall');
}

async function hooks(page) {
    await go(page, '/portal/webhooks');
    await page.getByRole('button', { name: 'New webhook' }).click();
    await page.getByLabel('Address').fill('https://hooks.example/x');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByLabel('The secret').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Ping' }).click();
    await page.getByRole('cell', { name: /webhook.ping/ }).waitFor();
    ok(true, 'a webhook is made, and its deliveries are told');
    const pings = page.getByRole('cell', { name: /webhook.ping/ });
    const before = await pings.count();
    await page.getByRole('row', { name: /webhook.ping/ }).first().getByRole('button', { name: 'Send again' }).click();
    await page.waitForFunction((n) => [...document.querySelectorAll('td')].filter((cell) => cell.textContent.startsWith('webhook.ping')).length === n, before + 1);
    ok(before === 1, 'what was sent is sent again, as a delivery of its own');
    quiet(page, 'webhooks');
}

async function boundKey(page) {
    await go(page, '/portal/keys');
    await page.getByRole('button', { name: 'New API key' }).click();
    await page.getByLabel('Name').fill('office');
    await page.getByLabel(/Only from these/).fill('192.0.2.0/24');
    await page.getByLabel(/At most so much/).fill('nothing');
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.locator('.field.wrong .error').waitFor();
    await page.getByLabel(/At most so much/).fill('50.00');
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByLabel('The new key').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Only from 192.0.2.0/24; 50.00 a month').waitFor();
    ok(true, 'a key is made for some addresses, with a limit');
    quiet(page, 'a key');
}

// Somebody is invited to one project, joins by the link, and sees that project alone.
async function team() {
    const page = await open(chrome), email = `eve.${Date.now()}@example.org`;
    await page.goto(`${here.url}/portal/signup`);
    await page.getByLabel('Name').fill('Team Ltd');
    await page.getByLabel('E-mail').fill(`boss.${email}`);
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    await go(page, '/portal/projects');
    await page.getByRole('button', { name: 'New project' }).click();
    await page.getByLabel('Name').fill('shop');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('cell', { name: 'shop' }).waitFor();
    ok(await page.getByLabel('Project', { exact: true }).count() === 1, 'with two projects there is a choice');
    await accessible(page, 'a choice of projects');
    await go(page, '/portal/members');
    await page.getByRole('button', { name: 'Invite somebody' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('For', { exact: true }).selectOption({ label: 'Project shop' });
    ok(await page.getByLabel('Role').locator('option').count() === 3, 'a project has three roles');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = await page.getByLabel('The link').textContent();
    await shot(page, 'portal-invited');
    await page.getByRole('button', { name: 'Done' }).click();
    const guest = await open(chrome);
    await guest.goto(link);
    await guest.getByText('a developer of').waitFor();
    await accessible(guest, 'an invitation');
    await shot(guest, 'portal-invitation');
    await guest.getByLabel('Your name').fill('Eve');
    await guest.getByLabel('Password').fill('four words and more');
    await guest.getByRole('button', { name: 'Join' }).click();
    await guest.getByRole('heading', { name: 'Home' }).waitFor();
    ok(await guest.getByRole('link', { name: 'Wallet' }).count() === 0 && await guest.getByRole('link', { name: 'Volumes' }).count() === 1, 'who joined sees work and no money');
    await shot(guest, 'portal-developer-home');
    await accessible(guest, 'a developer\'s home');
    await go(guest, '/portal/create');
    await guest.getByText('per hour').waitFor();
    ok(true, 'a developer sees what it will cost');
    quiet(guest, 'a developer');
    await guest.context().close();
    await page.goto(`${here.url}/portal/verify#xs_link_${'0'.repeat(40)}`);
    await page.getByRole('alert').waitFor();
    ok(await page.getByText('used before').count() === 1 && !page.url().includes('#'), 'a link that is over says so');
    await accessible(page, 'a link of a mail');
    await page.getByRole('link', { name: 'Go on' }).click();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    await go(page, '/portal/members');
    await page.getByRole('row', { name: /Eve/ }).getByText('project shop').waitFor();
    await shot(page, 'portal-members-two');
    await page.getByRole('row', { name: /Eve/ }).getByRole('button', { name: 'Remove' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('row', { name: /Eve/ }).waitFor({ state: 'detached' });
    ok(true, 'and is removed again');
    await page.getByLabel('Project', { exact: true }).selectOption({ label: 'shop' });
    await page.waitForFunction(() => localStorage.getItem('xs-project')?.startsWith('prj_'));
    await page.reload();
    await settled(page);
    ok(await page.getByLabel('Project', { exact: true }).evaluate((box) => box.selectedOptions[0].textContent) === 'shop', 'the chosen project stays chosen');
    quiet(page, 'a team');
    await page.context().close();
}

await firstView();
await team();
await person();
const page = await open(chrome);
await logIn(page);
for (const part of [live, createInstance, disks, ports, firewall, hooks, boundKey, graphs, money, recordsChecked, invoiceChecked])
    await part(page);
for (const [theme, size] of [['light', 'desk'], ['dark', 'desk'], ['light', 'phone']])
    await screens(theme, size);
await names(page);
await keyboard(page);
await chrome.close();
await here.stop();
end();
