// A new instance: what it will be, what it will cost, and the same as a command.

import { all, get, post } from '../lib/api.js';
import { html, useEffect, useMemo, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { nameOf } from '../lib/meters.js';
import * as money from '../lib/money.js';
import { go } from '../lib/router.js';
import * as time from '../lib/time.js';
import { Area, Card, Check, Choice, Code, ErrorBox, Form, Input, Loaded, Loading, Money, Page, Select, toast } from '../lib/ui.js';
import { mayMoney } from './may.js';

// What is sent: nothing that was left as it is.
function bodyOf(form, image) {
    const body = { name: form.name, image: form.image, flavor: form.flavor };
    if (image?.boot === 'disk' && form.disk_gib)
        body.disk_mib = Math.round(Number(form.disk_gib) * 1024);
    if (form.network !== 'image')
        body.network = form.network === 'yes';
    if (form.ssh_keys.length) {
        body.ssh_keys = form.ssh_keys;
        body.forward_ports = [22];
    }
    if (form.user_data)
        body.user_data = form.user_data;
    if (form.purchase_order_id)
        body.purchase_order_id = form.purchase_order_id;
    return body;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const curlOf = (body) => `curl ${location.origin}/v1/instances \\
  -H "Authorization: Bearer $XS_KEY" \\
  -H "Idempotency-Key: $(uuidgen)" \\
  -H 'Content-Type: application/json' \\
  -d ${quoted(JSON.stringify(body))}`;

function xsOf(body, keys) {
    const words = ['xs', 'create', body.name, '--image', body.image, '--flavor', body.flavor];
    if (body.disk_mib)
        words.push('--disk', `${body.disk_mib}M`);
    if ('network' in body)
        words.push(body.network ? '--network' : '--no-network');
    for (const id of body.ssh_keys ?? [])
        words.push('--ssh-key', keys.find((key) => key.id === id)?.name ?? id);
    for (const port of body.forward_ports ?? [])
        words.push('--forward', String(port));
    if (body.user_data)
        words.push('--user-data', 'FILE');
    if (body.purchase_order_id)
        words.push('--purchase-order', body.purchase_order_id);
    return [...words, '--wait'].join(' ');
}

// Asked again a moment after the last change; an older answer never replaces a newer one.
function useQuote(flavor, percent) {
    const [state, set] = useState({ quote: null, error: null });
    useEffect(() => {
        const stop = new AbortController();
        const timer = setTimeout(async () => {
            try {
                set({ quote: await post('/v1/quotes', { flavor, cpu_percent: percent }, { signal: stop.signal, idempotencyKey: null }), error: null });
            } catch (error) {
                if (!stop.signal.aborted)
                    set({ quote: null, error });
            }
        }, 150);
        return () => { clearTimeout(timer); stop.abort(); };
    }, [flavor, percent]);
    return state;
}

function lasts(quote, available) {
    const hour = money.nano(quote.total_with_tax ?? quote.total);
    return hour > 0n ? time.duration(Number(money.nano(available) * 3600n / hour)) : 'as long as you like';
}

function Quote({ flavor, wallet, percent, setPercent }) {
    const { quote, error } = useQuote(flavor, percent);
    const monthly = (hour) => money.text(money.nano(hour) * 730n);
    return html`<${Card} title="What it will cost"><div class="stack" aria-live="polite">
        <label for="busy">How busy its CPUs will be: ${percent} %</label>
        <input id="busy" type="range" min="0" max="100" step="5" value=${percent} onInput=${(event) => setPercent(Number(event.target.value))} />
        ${error ? html`<${ErrorBox} error=${error} />` : !quote ? html`<${Loading} />` : html`
            <p><span class="quote-total num">${money.shown(quote.per_hour, quote.currency)}</span> per hour</p>
            <p class="note">About ${money.cents(monthly(quote.per_hour), quote.currency)} a month (730 hours)${quote.tax?.amount && money.nano(quote.tax.amount) ?
                html`, and ${money.shown(quote.tax.amount, quote.currency)} tax an hour` : ''}.</p>
            <dl class="facts">${quote.lines.map((line) => html`<div><dt>${nameOf(line.meter)}</dt><dd class="num">${money.shown(line.amount, quote.currency)}</dd></div>`)}</dl>
            <p class="note"><${Money} amount=${quote.hold} currency=${quote.currency} /> is set aside when it starts: the most that an hour can cost.</p>
            ${!wallet ? '' : money.nano(quote.hold) > money.nano(wallet.available) ?
                html`<div class="notice bad"><p>Your wallet has ${money.shown(wallet.available, wallet.currency)} free, which is not enough. <a href="/portal/wallet">Add money</a></p></div>` :
                html`<div class="notice good"><p>Your money is enough: ${money.shown(wallet.available, wallet.currency)} would last this instance alone for ${lasts(quote, wallet.available)}.</p></div>`}`}
        <p class="note">Disk and network are billed as they are used. You pay for what is measured, to the nanosecond, and can check every record.</p></div></${Card}>`;
}

function Options({ form, change, image, keys, orders, currency }) {
    const toggle = (id, on) => change({ ssh_keys: on ? [...form.ssh_keys, id] : form.ssh_keys.filter((one) => one !== id) });
    return html`<${Card} title="Access and network">
        <fieldset class="stack"><legend>SSH keys that may log in</legend>${keys.length ? html`<div class="checks">${keys.map((key) => html`<${Check} key=${key.id}
            label=${key.name} hint=${key.type} checked=${form.ssh_keys.includes(key.id)} onValue=${(on) => toggle(key.id, on)} />`)}</div>
            <p class="hint">With a key, a port of the host leads to the instance's port 22.</p>` :
            html`<p class="hint">You have none. <a href="/portal/ssh_keys">Add one</a> to log in by SSH.</p>`}</fieldset>
        <div class="row"><${Select} label="Network" value=${form.network} onValue=${(network) => change({ network })}
            options=${[['image', 'As the image wants it'], ['yes', 'With an address'], ['no', 'None']]} />
        <${Select} label="Paid by" value=${form.purchase_order_id} onValue=${(purchase_order_id) => change({ purchase_order_id })}
            options=${[['', 'The wallet'], ...orders.filter((order) => order.state === 'open').map((order) => [order.id, `${order.name} (${money.cents(order.available, currency)} left)`])]} />
        ${image?.boot === 'disk' && html`<${Input} label="Disk, GiB" type="number" min=${Math.ceil(image.disk_mib_min / 1024)} value=${form.disk_gib}
            placeholder=${String(Math.ceil(image.disk_mib_min / 1024))} onValue=${(disk_gib) => change({ disk_gib })} />`}</div>
        <details open=${Boolean(form.user_data)}><summary>A script for the first boot</summary><${Area} label="User data" value=${form.user_data}
            onValue=${(user_data) => change({ user_data })} hint="A script that begins with #!, or cloud-config for images with cloud-init." spellcheck="false" /></details></${Card}>`;
}

function Commands({ body, keys }) {
    const [which, set] = useState('xs');
    const text = which === 'xs' ? xsOf(body, keys) : curlOf(body);
    return html`<${Card} title="The same from a shell" aside=${html`<div class="actions" role="group" aria-label="Which command">${['xs', 'curl'].map((name) => html`
        <button type="button" class="btn small" aria-pressed=${which === name ? 'true' : 'false'} onClick=${() => set(name)}>${name}</button>`)}</div>`}>
        <${Code} text=${text} label=${`The ${which} command`} /></${Card}>`;
}

function Creator({ images, flavors, keys, orders, wallet, count }) {
    const [form, set] = useState({ name: `instance-${count + 1}`, image: images.find((image) => image.available !== false)?.id, flavor: flavors[0]?.id,
        ssh_keys: [], network: 'image', disk_gib: '', user_data: '', purchase_order_id: '' });
    const [percent, setPercent] = useState(25);
    const change = (values) => set({ ...form, ...values });
    const image = images.find((one) => one.id === form.image), flavor = flavors.find((one) => one.id === form.flavor);
    const body = useMemo(() => bodyOf(form, image), [form]);
    const submit = useSubmit((values, options) => post('/v1/instances', values, options));
    const done = (instance) => { toast(`${instance.name} is being made`); go(`/portal/instances/${instance.id}`); };
    const small = (one) => flavor && one.memory_mib_min > flavor.memory_mib;
    return html`<div class="columns aside"><${Form} form=${submit} values=${body} button="Create instance" done=${done} cancel=${() => go('/portal/instances')}>
        <${Card} title="What it is"><${Input} label="Name" value=${form.name} onValue=${(name) => change({ name })} hint="Small letters, digits and hyphens."
                error=${submit.error?.of?.('name')} maxlength="63" autocomplete="off" spellcheck="false" />
            <${Choice} label="Image" value=${form.image} onValue=${(id) => change({ image: id })} options=${images.map((one) => ({ value: one.id, title: one.name,
                note: small(one) ? `Needs ${one.memory_mib_min} MiB of memory` : one.description, disabled: one.available === false }))} />
            <${Choice} label="Size" value=${form.flavor} onValue=${(id) => change({ flavor: id })} options=${flavors.map((one) => ({ value: one.id, title: one.name,
                note: one.id }))} /></${Card}>
        <${Options} form=${form} change=${change} image=${image} keys=${keys} orders=${orders} currency=${wallet?.currency} /></${Form}>
        <div class="stack sticky"><${Quote} flavor=${form.flavor} wallet=${wallet} percent=${percent} setPercent=${setPercent} />
            <${Commands} body=${body} keys=${keys} /></div></div>`;
}

export default function Create({ session }) {
    const seesMoney = mayMoney(session);
    const load = useLoad(async (signal) => {
        const [images, flavors, keys, instances] = await Promise.all(['/v1/images', '/v1/flavors', '/v1/ssh_keys', '/v1/instances'].map((path) => get(path, { signal })));
        const [orders, wallet] = seesMoney ? await Promise.all([all('/v1/purchase_orders?limit=200'), get('/v1/wallet', { signal })]) : [[], null];
        return { images: images.data, flavors: flavors.data, keys: keys.data, orders, wallet, count: instances.data.length };
    }, []);
    return html`<${Page} title="Create an instance" back=${['/portal/instances', 'Instances']}><${Loaded} load=${load}>${(data) => html`<${Creator} ...${data} />`}</${Loaded}></${Page}>`;
}
