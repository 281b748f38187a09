// Price books: what is published, what is proposed, and a new proposal.

import { get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { go } from '../lib/router.js';
import { Area, Badge, Card, DialogButton, Empty, Form, Loaded, Page, Table, Time, toast, useId } from '../lib/ui.js';
import { For } from './roles.js';

const COLUMNS = [
    { title: 'Version', of: (row) => html`<a href=${`/console/prices/${row.version}`}>${row.version}</a>` },
    { title: 'State', of: (row) => html`<${Badge} of=${row.state} />` },
    { title: 'Proposed by', of: (row) => html`<code>${row.operator}</code>`, hide: 'phone' },
    { title: 'Decided by', of: (row) => html`<code>${row.decided_by}</code>`, hide: 'phone' },
    { title: 'Valid from', of: (row) => html`<${Time} at=${row.valid_from} none="publication" />` },
    { title: 'Moves what runs', of: (row) => html`<${Time} at=${row.moves_running_at} />`, hide: 'phone' },
];

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch (error) {
        throw Object.assign(new Error(`This is not JSON: ${error.message}`), { title: 'The book cannot be read' });
    }
}

function Propose({ book, close }) {
    const [text, set] = useState(JSON.stringify(book, null, 2)), id = useId('file');
    const form = useSubmit((values, options) => post('/v1/admin/price_books', parsed(values.text), options));
    return html`<${Form} form=${form} values=${{ text }} button="Propose" cancel=${close} done=${(made) => { close(); toast(`Version ${made.version} is proposed`); go(`/console/prices/${made.version}`); }}>
        <p>Amounts are in 10⁻⁹ of the currency: num_nano/den for each unit. Another operator publishes it.</p>
        <div class="field"><label for=${id}>From a file (may be left out)</label><input id=${id} type="file" accept=".json,application/json" onChange=${async (event) => set(await event.target.files[0].text())} /></div>
        <${Area} label="The book" value=${text} onValue=${set} rows="16" spellcheck="false" /></${Form}>`;
}

// What is in force, one version on, to be edited.
async function draft(books, signal) {
    const published = books.filter((one) => one.state === 'published').at(-1);
    const shown = published ? await get(`/v1/admin/price_books/${published.version}`, { signal }) : null;
    const { currency, meters = [] } = shown?.book ?? shown ?? {};
    return { version: Math.max(0, ...books.map((one) => one.version)) + 1, currency, meters };
}

export default function Prices() {
    const load = useLoad(async (signal) => { const { data } = await get('/v1/admin/price_books', { signal }); return { data, book: await draft(data, signal) }; }, []);
    return html`<${Page} title="Price books" sub="A book is proposed by one operator and published by another. What was published never changes."
        actions=${load.data && html`<${For} role="billing" to="Proposing prices"><${DialogButton} label="Propose a book" tone="primary">${(close) => html`<${Propose} book=${load.data.book} close=${close} />`}</${DialogButton}></${For}>`}>
        <${Loaded} load=${load}>${({ data }) => html`<${Card} flush><${Table} label="Price books" columns=${COLUMNS} rows=${[...data].reverse()} keyOf=${(row) => row.version} empty=${html`<${Empty} title="No books" />`} /></${Card}>`}</${Loaded}></${Page}>`;
}
