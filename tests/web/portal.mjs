import { accessible, browser, end, fetched, fits, host, ok, open, quiet, settled, shot } from './browser.mjs';

const FIRST_VIEW_BYTES = 150 * 1024;

const here = await host(), chrome = await browser();

async function logIn(page, key = here.key) {
    await page.goto(`${here.url}/portal/`);
    await page.getByRole('button', { name: 'Log in with an API key' }).click();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await settled(page);
}

async function firstView() {
    const page = await open(chrome), sum = await fetched(page);
    await page.goto(`${here.url}/portal/`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await shot(page, 'portal-login');
    await accessible(page, 'login');
    await logIn(page);
    ok(sum.bytes > 10000 && sum.bytes <= FIRST_VIEW_BYTES, `the first view, login and home: ${sum.bytes} bytes in ${sum.files} answers`);
    await shot(page, 'portal-home');
    quiet(page, 'home');
    await page.context().close();
}

await firstView();
await chrome.close();
await here.stop();
end();
