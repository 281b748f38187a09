// What may come to an instance and go from it. Each change writes the whole of it, if it is still what is shown here.

import { put, tagged } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Badge, Card, Check, DialogButton, Empty, Form, Input, Loaded, Notice, Select, Table, toast } from '../lib/ui.js';
import { may } from './may.js';

const SSH = 22;
const PEER = { inbound: 'source', outbound: 'destination' };
const PROTOCOLS = [['tcp', 'TCP'], ['udp', 'UDP'], ['icmp', 'ICMP']];

function covers({ protocol, ports = '1-65535' }, port) {
    const [first, last = first] = ports.split('-').map(Number);
    return protocol === 'tcp' && first <= port && port <= last;
}

const letsIn = ({ inbound }, port) => inbound.some((rule) => covers(rule, port));

// Whether ssh worked with `now` and does not with `then`.
const locksOut = (now, then) => then.enabled && !letsIn(then, SSH) && (!now.enabled || letsIn(now, SSH));

const LockedOut = () => html`<${Notice} tone="bad">No rule lets port 22 in: ssh does not reach this instance any more. Its console in the browser still does.</${Notice}>`;

function useChange({ id, seen, reload, words }) {
    const form = useSubmit((then) => put(`/v1/instances/${id}/firewall`, then, { ifMatch: seen.tag }));
    const done = (close) => () => { close(); toast(words); reload(); };
    return { form, done };
}

function TurnOn(change) {
    const now = change.seen.thing;
    const { form, done } = useChange({ ...change, words: 'The firewall is on' });
    const [ssh, set] = useState(true);
    const open = letsIn(now, SSH);
    const then = { ...now, enabled: true, inbound: open || !ssh ? now.inbound : [...now.inbound, { protocol: 'tcp', ports: String(SSH), note: 'ssh' }] };
    return html`<${DialogButton} label="Turn on" tone="small" title="Turn the firewall on?">${(close) => html`<${Form} form=${form} values=${then} button="Turn on" cancel=${close} done=${done(close)}>
        <p>Of what others begin, only what a rule allows comes in from then on. Connections that no rule allows end.</p>
        ${!open && html`<${Check} label="Let port 22 in, for ssh" checked=${ssh} onValue=${set} />`}
        ${locksOut(now, then) && html`<${LockedOut} />`}</${Form}>`}</${DialogButton}>`;
}

function TurnOff(change) {
    const { form, done } = useChange({ ...change, words: 'The firewall is off' });
    return html`<${DialogButton} label="Turn off" tone="small" title="Turn the firewall off?">${(close) => html`<${Form} form=${form} values=${{ ...change.seen.thing, enabled: false }} tone="danger" button="Turn off" cancel=${close} done=${done(close)}>
        <p>Its open ports are open to all then, and all goes out. The rules are kept.</p></${Form}>`}</${DialogButton}>`;
}

function Rule({ close, ...change }) {
    const now = change.seen.thing;
    const { form, done } = useChange({ ...change, words: 'The rule is there' });
    const [values, set] = useState({ way: 'inbound', protocol: 'tcp', ports: '', peer: '', note: '' });
    const { way, protocol, ports, peer, note } = values;
    const rule = { protocol, ...(ports && protocol !== 'icmp' && { ports }), ...(peer && { [PEER[way]]: peer }), ...(note && { note }) };
    const wrong = (name) => form.error?.of?.(`${way}[${now[way].length}].${name}`);
    const field = (name) => ({ value: values[name], onValue: (value) => set({ ...values, [name]: value }) });
    return html`<${Form} form=${form} values=${{ ...now, [way]: [...now[way], rule] }} button="Add" cancel=${close} done=${done(close)}>
        <${Select} label="Which way" options=${[['inbound', 'In: to the instance'], ['outbound', 'Out: from the instance']]} ...${field('way')} />
        ${way === 'outbound' && !now.outbound.length && html`<p class="note">Without a rule for the way out all goes out. With this one, nothing else does; only the host's resolver stays reachable.</p>`}
        <${Select} label="Protocol" options=${PROTOCOLS} ...${field('protocol')} />
        ${protocol !== 'icmp' && html`<${Input} label="Ports" autocomplete="off" placeholder="all" error=${wrong('ports')} ...${field('ports')}
            hint=${`One, such as 443, or a range, such as 8000-8010.${way === 'inbound' ? ' They are the instance\'s own, not the host\'s that lead to them.' : ''}`} />`}
        <${Input} label=${way === 'inbound' ? 'From' : 'To'} autocomplete="off" placeholder="everywhere" error=${wrong(PEER[way])} hint="A network, such as 203.0.113.0/24, or one address." ...${field('peer')} />
        <${Input} label="Note" autocomplete="off" error=${wrong('note')} ...${field('note')} /></${Form}>`;
}

const Add = (change) => html`<${DialogButton} label="Add a rule" tone="small">${(close) => html`<${Rule} close=${close} ...${change} />`}</${DialogButton}>`;

function Remove({ way, at, ...change }) {
    const now = change.seen.thing, then = { ...now, [way]: now[way].filter((rule, i) => i !== at) };
    const { form, done } = useChange({ ...change, words: 'The rule is gone' });
    return html`<${DialogButton} label="Remove" tone="small" title="Remove this rule?">${(close) => html`<${Form} form=${form} values=${then} tone="danger" button="Remove" cancel=${close} done=${done(close)}>
        <p>${way === 'outbound' && !then.outbound.length ? 'It is the last rule for the way out: all goes out then.' : 'What it allows and no other rule does is dropped, connections that are open too.'}</p>
        ${locksOut(now, then) && html`<${LockedOut} />`}</${Form}>`}</${DialogButton}>`;
}

const rowsOf = (thing) => Object.keys(PEER).flatMap((way) => thing[way].map((rule, at) => ({ ...rule, way, at, peer: rule[PEER[way]] })));

const what = ({ protocol, ports }) => `${protocol.toUpperCase()}${ports ? ` ${ports}` : protocol === 'icmp' ? '' : ', all ports'}`;

const columns = (change) => [
    { title: 'What', of: (row) => `${row.way === 'inbound' ? 'in' : 'out'} ${what(row)}` },
    { title: 'From or to', of: (row) => (row.peer ? html`<code>${row.peer}</code>` : 'everywhere') },
    { title: 'Note', of: (row) => row.note ?? '', hide: 'phone' },
    change && { title: '', num: true, of: (row) => html`<${Remove} way=${row.way} at=${row.at} ...${change} />` },
].filter(Boolean);

const effect = ({ enabled, outbound }) => (enabled
    ? `What no rule lets in is dropped; ${outbound.length ? 'what no rule lets out, too' : 'all goes out'}. Instances of your network reach each other as before.`
    : 'Open ports are open to all, and all goes out. Rules have no effect.');

export function Firewall({ id, session }) {
    const load = useLoad((signal) => tagged(`/v1/instances/${id}/firewall`, { signal }), [id], 60, /^instance[.]/);
    const change = may(session, 'networks:write') && load.data && { id, seen: load.data, reload: load.reload };
    const Turn = load.data?.thing.enabled ? TurnOff : TurnOn;
    return html`<${Card} title="Firewall" flush aside=${change && html`<div class="actions"><${Add} ...${change} /><${Turn} ...${change} /></div>`}><${Loaded} load=${load}>${({ thing }) => html`
        <p class="card-words"><${Badge} of=${thing.enabled ? 'on' : 'off'} tone=${thing.enabled ? 'good' : 'plain'} /> ${effect(thing)}</p>
        <${Table} label="Firewall" columns=${columns(change)} rows=${rowsOf(thing)} keyOf=${(row) => `${row.way} ${row.at}`} empty=${html`<${Empty} title="No rules" />`} />`}</${Loaded}></${Card}>`;
}
