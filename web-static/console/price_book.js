// One price book: what it changes, what a month would have cost under it, and the decision.

import { all, get, post } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { nameOf } from '../lib/meters.js';
import { query, setQuery, usePath } from '../lib/router.js';
import { Badge, Card, Code, DialogButton, Empty, Facts, Form, Input, Loaded, Money, Page, Select, Stat, Stats, Table, Time, toast } from '../lib/ui.js';
import { For } from './roles.js';

const DIFF = [{ title: 'Meter', of: (row) => nameOf(row.meter) }, { title: 'Was', of: (row) => row.was ?? 'not there' }, { title: 'Is', of: (row) => row.is ?? 'gone' }];

function Decision({ book, verb, words, warning, tone, reload }) {
    const form = useSubmit((values, options) => post(`/v1/admin/price_books/${book.version}/${verb}`, undefined, options));
    return html`<${DialogButton} label=${words} tone=${tone} title=${`${words} version ${book.version}?`}>${(close) => html`<${Form} form=${form} values=${{}} button=${words} cancel=${close} done=${() => { close(); toast(`Version ${book.version}: done`); reload(); }}>
        <p>${warning}</p></${Form}>`}</${DialogButton}>`;
}

const Against = ({ versions, at }) => versions.length > 0 && html`<${Select} label="Compared with" value=${at} options=${versions.map((one) => [String(one), `Version ${one}`])} onValue=${(against) => setQuery({ against })} />`;

const lastMonth = () => { const date = new Date(); date.setUTCDate(0); return date.toISOString().slice(0, 7); };

function Replay({ version, customers }) {
    const [values, set] = useState({ customer_id: customers[0]?.id ?? '', period: lastMonth() }), [result, keep] = useState(null);
    const form = useSubmit(({ customer_id, period }) => get(`/v1/admin/price_books/${version}/replay?customer_id=${customer_id}&period=${period}`));
    return html`<${Card} title="A month under this book"><${Form} form=${form} values=${values} button="Work it out" done=${keep}><div class="row">
        <${Select} label="Customer" value=${values.customer_id} options=${customers.map((one) => [one.id, one.name])} onValue=${(customer_id) => set({ ...values, customer_id })} />
        <${Input} label="Month" type="month" value=${values.period} onValue=${(period) => set({ ...values, period })} /></div></${Form}>
        ${result && html`<${Stats}><${Stat} label="It did cost"><${Money} amount=${result.billed} currency="" /></${Stat}><${Stat} label="Under this book"><${Money} amount=${result.total} currency="" /></${Stat}></${Stats}>`}</${Card}>`;
}

const Decisions = ({ book, reload }) => html`<${Decision} book=${book} verb="approve" words="Publish" tone="primary" reload=${reload} warning="From its day on, new instances are billed by it; what runs only from the day that it says. It is signed and goes into the log, and can never be changed. Whoever proposed it cannot publish it." />
    <${Decision} book=${book} verb="withdraw" words="Withdraw" tone="danger" reload=${reload} warning="It can never be published then; its version is spent." />`;

export default function PriceBook({ params: { version } }) {
    usePath();
    const { against } = query();
    const load = useLoad(async (signal) => {
        const [books, diff, customers] = await Promise.all([get('/v1/admin/price_books', { signal }), get(`/v1/admin/price_books/${version}/diff${against ? `?against=${against}` : ''}`, { signal }).catch((error) => (error.status === 404 || error.status === 409 || error.status === 422 ? null : Promise.reject(error))),
            all('/v1/admin/customers?limit=1000')]);
        const shown = await get(`/v1/admin/price_books/${version}`, { signal });
        return { book: { ...books.data.find((one) => String(one.version) === version), ...shown }, diff, customers, versions: books.data.map((one) => one.version) };
    }, [version, against]);
    const book = load.data?.book;
    return html`<${Page} title=${`Price book ${version}`} back=${['/console/prices', 'Price books']} actions=${book?.state === 'proposed' && html`<${For} role="billing" to="Publishing prices"><${Decisions} book=${book} reload=${load.reload} /></${For}>`}>
        <${Loaded} load=${load}>${({ diff, customers, versions }) => html`<div class="columns two"><${Card} title="About"><${Facts} rows=${[['State', html`<${Badge} of=${book.state ?? 'published'} />`], ['Currency', book.currency],
            book.operator && ['Proposed by', html`<code>${book.operator}</code>`], book.decided_by && ['Decided by', html`<code>${book.decided_by}</code>`], ['Valid from', html`<${Time} at=${book.valid_from} none="its publication" />`],
            ['Moves what runs', html`<${Time} at=${book.moves_running_at} />`]]} /></${Card}><${Replay} version=${version} customers=${customers} /></div>
            <div class="row"><${Against} versions=${versions.filter((one) => String(one) !== version)} at=${String(against ?? diff?.from ?? '')} /></div>
            <${Card} title=${diff ? `What it changes of version ${diff.from}` : 'What it changes'} flush>${diff ? html`<${Table} label="Changes" columns=${DIFF} rows=${diff.meters} keyOf=${(row) => row.meter} empty=${html`<${Empty} title="Nothing" />`} />` : html`<${Empty} title="There is no book before it" />`}</${Card}>
            <${Card} title="The book"><${Code} label="The book" text=${JSON.stringify(book.book ?? { version: book.version, currency: book.currency, meters: book.meters }, null, 2)} /></${Card}>`}</${Loaded}></${Page}>`;
}
