// What was used, by day: stacked by meter or by instance. A day's column opens what is in it, and from there the raw records.

import { get, save } from '../lib/api.js';
import { Bars } from '../lib/chart.js';
import { html } from '../lib/html.js';
import { useLoad } from '../lib/load.js';
import { nameOf, ORDER, tone, units } from '../lib/meters.js';
import * as money from '../lib/money.js';
import { query, setQuery, usePath } from '../lib/router.js';
import * as time from '../lib/time.js';
import { Card, Empty, Input, Loaded, Money, Page, Select, Table } from '../lib/ui.js';

function range() {
    const { from, to } = query(), today = time.day(new Date());
    const good = (text) => (/^\d{4}-\d\d-\d\d$/.test(text ?? '') ? text : null);
    return { from: good(from) ?? time.day(new Date(Date.now() - 29 * 86400000)), to: good(to) ?? today };
}

// Rows of the summary to columns of the chart: what is the same in `key` is one colour.
function columnsOf(rows, days, keys, key, toneOf) {
    return days.map((day) => ({ key: day, title: day, label: day.slice(5),
        parts: keys.map((one) => ({ key: one, tone: toneOf(one), amount: money.sum(rows.filter((row) => row.day === day && row[key] === one).map((row) => row.amount)) })) }));
}

const Legend = ({ keys, toneOf, words }) => html`<ul class="legend">${keys.map((key) => html`<li key=${key}><span class=${`swatch ${toneOf(key)}`} aria-hidden="true"></span>${words(key)}</li>`)}</ul>`;

function Totals({ rows, currency, title, aside, names }) {
    const sorted = [...rows].sort((a, b) => (money.nano(b.amount) > money.nano(a.amount) ? 1 : -1));
    const columns = [
        names && { title: 'Instance', of: (row) => html`<a href=${`/portal/records/${row.instance_id}`}>${names.get(row.instance_id) ?? row.instance_id}</a>` },
        { title: 'Meter', of: (row) => html`<span class="swatch-line"><span class=${`swatch ${tone(row.meter)}`} aria-hidden="true"></span> ${nameOf(row.meter)}</span>` },
        { title: 'Quantity', of: (row) => html`<span class="num" title=${`${row.units} ${row.unit}`}>${units(row)}</span>`, num: true, hide: names ? 'phone' : undefined },
        { title: 'Amount', of: (row) => html`<${Money} amount=${row.amount} currency=${currency} />`, num: true },
    ].filter(Boolean);
    return html`<${Card} title=${title} aside=${aside} flush><${Table} label=${title} columns=${columns} rows=${sorted} empty=${html`<${Empty} title="Nothing was used" />`} /></${Card}>`;
}

// All the rows in one answer for each question, so that a change of the grouping shows the same days.
function useUsage(from, to) {
    return useLoad(async (signal) => {
        const [rows, total, instances, wallet] = await Promise.all([
            get(`/v1/usage/summary?from=${from}&to=${to}&by=day,instance,meter`, { signal }), get(`/v1/usage/summary?from=${from}&to=${to}&by=meter`, { signal }),
            get('/v1/instances', { signal }), get('/v1/wallet', { signal })]);
        return { rows: rows.data, total: total.data, names: new Map(instances.data.map((one) => [one.id, one.name])), currency: wallet.currency };
    }, [from, to], 30);
}

function Chart({ rows, names, currency, days, by, day }) {
    const key = by === 'instance' ? 'instance_id' : 'meter', present = [...new Set(rows.map((row) => row[key]))];
    const keys = by === 'instance' ? present : ORDER.filter((meter) => present.includes(meter)).concat(present.filter((meter) => !ORDER.includes(meter)));
    const toneOf = by === 'instance' ? (id) => `s${keys.indexOf(id) % 9}` : tone;
    const words = by === 'instance' ? (id) => names.get(id) ?? id : nameOf;
    return html`<${Bars} columns=${columnsOf(rows, days, keys, key, toneOf)} currency=${currency} selected=${day} label="Amount by day"
        onSelect=${(one) => setQuery({ day: one === day ? '' : one })} /><${Legend} keys=${keys} toneOf=${toneOf} words=${words} />`;
}

export default function Usage() {
    usePath();
    const { from, to } = range(), { by = 'meter', day } = query(), load = useUsage(from, to), days = time.daysBetween(from, to).slice(-92);
    const csv = () => save(`/v1/usage/summary?from=${from}&to=${to}&by=day,instance,meter`, `usage-${from}-${to}.json`);
    return html`<${Page} title="Usage" sub="What was measured, as it is billed. Days are in UTC."
        actions=${html`<button type="button" class="btn" onClick=${csv}>Download</button>`}>
        <div class="row"><${Input} label="From" type="date" value=${from} max=${to} onValue=${(value) => setQuery({ from: value, day: '' })} />
            <${Input} label="To" type="date" value=${to} min=${from} onValue=${(value) => setQuery({ to: value, day: '' })} />
            <${Select} label="Colours" value=${by} options=${[['meter', 'By meter'], ['instance', 'By instance']]} onValue=${(value) => setQuery({ by: value === 'meter' ? '' : value })} /></div>
        <${Loaded} load=${load}>${({ rows, total, names, currency }) => html`
            <${Card} title="Amount by day" aside=${html`<span class="strong">${money.shown(money.sum(total.map((row) => row.amount)), currency)} in all, without tax</span>`}>
                ${rows.length ? html`<${Chart} rows=${rows} names=${names} currency=${currency} days=${days} by=${by} day=${day} />
                    <p class="note">Choose a day to see what is in it.</p>` : html`<${Empty} title="Nothing was used in these days" />`}</${Card}>
            ${day && html`<${Totals} title=${`On ${day}`} rows=${rows.filter((row) => row.day === day)} names=${names} currency=${currency}
                aside=${html`<button type="button" class="btn small" onClick=${() => setQuery({ day: '' })}>Close</button>`} />`}
            <${Totals} title="By meter" rows=${total} currency=${currency} />
            <${Card} title="Raw records"><p class="note">Every charge comes from a signed record of the hypervisor's counters. Look at them, and let your browser check them:</p>
                <ul class="legend">${[...new Set(rows.map((row) => row.instance_id))].map((id) => html`<li key=${id}><a href=${`/portal/records/${id}`}>Records of ${names.get(id) ?? id}</a></li>`)}</ul></${Card}>`}</${Loaded}></${Page}>`;
}
