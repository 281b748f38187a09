// The account's network: addresses in it, and the host's ports that lead to them.

import { get, post, remove } from '../lib/api.js';
import { Confirm } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Card, DialogButton, Empty, Facts, Form, Input, Loaded, Page, Select, Table } from '../lib/ui.js';
import { may } from './may.js';

const Instance = ({ id, name }) => html`<a href=${`/portal/instances/${id}`}>${name}</a>`;

const ADDRESSES = [
    { title: 'Address', of: (row) => html`<code>${row.ipv4}</code>` },
    { title: 'Instance', of: (row) => html`<${Instance} id=${row.instance_id} name=${row.instance_name} />` },
    { title: 'MAC', of: (row) => html`<code>${row.mac}</code>`, hide: 'phone' },
];

function Open({ instances, reload }) {
    const [values, set] = useState({ instance: instances[0].id, port: '80' });
    const form = useSubmit(({ instance, port }, options) => post(`/v1/instances/${instance}/forwards`, { guest_port: Number(port) }, options));
    return html`<${DialogButton} label="Open a port" title="Let a port of the host lead to a guest's">${(close) => html`<${Form} form=${form} values=${values} button="Open" cancel=${close} done=${() => { close(); reload(); }}>
        <${Select} label="Instance" value=${values.instance} options=${instances.map((one) => [one.id, one.name])} onValue=${(instance) => set({ ...values, instance })} />
        <${Input} label="The guest's TCP port" type="number" min="1" max="65535" value=${values.port} onValue=${(port) => set({ ...values, port })} error=${form.error?.of?.('guest_port')} hint="The host chooses its own." /></${Form}>`}</${DialogButton}>`;
}

const ports = (write, reload) => [
    { title: 'From', of: (row) => html`<code>${row.host}:${row.port}</code>` },
    { title: 'To', of: (row) => html`<${Instance} id=${row.instance.id} name=${row.instance.name} />, port ${row.guest_port}` },
    write && { title: '', num: true, of: (row) => html`<${Confirm} label="Close" title="Close this port?" warning=${`${row.host}:${row.port} leads nowhere any more.`} send=${() => remove(`/v1/forwards/${row.id}`)} done=${reload} />` },
].filter(Boolean);

export default function Networks({ session }) {
    const load = useLoad(async (signal) => {
        const [networks, ips, instances] = await Promise.all(['/v1/networks', '/v1/ips', '/v1/instances'].map((path) => get(path, { signal })));
        return { networks: networks.data, ips: ips.data, instances: instances.data };
    }, [], 60, /^(instance|forward|action)[.]/);
    const write = may(session, 'networks:write');
    const forwards = ({ instances }) => instances.flatMap((instance) => instance.forwards.map((one) => ({ ...one, instance })));
    const reachable = ({ instances }) => instances.filter((one) => one.addresses.length);
    return html`<${Page} title="Networks" sub="A network of your own: nobody else's guests are in it. From outside lead only the ports that you open."><${Loaded} load=${load}>${(data) => html`
        ${data.networks.map((network) => html`<${Card} key=${network.id} title="Network"><${Facts} rows=${[['Addresses', html`<code>${network.ipv4_subnet}</code>`], ['Gateway', html`<code>${network.gateway}</code>`],
            ['In use', `${network.addresses_used}`], ['Id', html`<code>${network.id}</code>`]]} /></${Card}>`)}
        <${Card} title="Addresses" flush><${Table} label="Addresses" columns=${ADDRESSES} rows=${data.ips} keyOf=${(row) => row.ipv4} empty=${html`<${Empty} title="No addresses in use"><p>Instances that are made with a network have one.</p></${Empty}>`} /></${Card}>
        <${Card} title="Open ports" flush aside=${write && reachable(data).length > 0 && html`<${Open} instances=${reachable(data)} reload=${load.reload} />`}>
            <${Table} label="Open ports" columns=${ports(write, load.reload)} rows=${forwards(data)} keyOf=${(row) => row.id} empty=${html`<${Empty} title="No port is open"><p>Nothing outside reaches your guests; they reach what they like.</p></${Empty}>`} /></${Card}>`}</${Loaded}></${Page}>`;
}
