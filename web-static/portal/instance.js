// One instance: its state and why, what is billed now, what it has used, its console's log, and what can be done with it.

import { get, remove } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { bytes, count, cpuTime, nameOf } from '../lib/meters.js';
import { go } from '../lib/router.js';
import { Away, Badge, Card, Code, DialogButton, Empty, Facts, Form, Loaded, Money, Notice, Page, Stat, Stats, Time, toast } from '../lib/ui.js';
import { acted } from './acted.js';
import { Rebuild, Resize } from './change.js';
import { Firewall } from './firewall.js';
import { Graphs } from './graphs.js';
import { currencyOf, may } from './may.js';
import { Timeline } from './timeline.js';

// What each state allows: [type, words, what it does to the guest; empty: no question is asked].
const ACTIONS = {
    running: [['reboot', 'Restart', 'It is told to restart. What is not written to its disk is lost.'],
        ['suspend', 'Suspend', ''], ['shutdown', 'Shut down', 'It is told to shut down. Nothing of it is billed by time after that.'],
        ['power_off', 'Power off', 'It ends at once, as by pulling the plug. What is not written to its disk is lost.']],
    suspended: [['resume', 'Resume', ''], ['power_off', 'Power off', 'It ends at once. What is not written to its disk is lost.']],
    stopped: [['start', 'Start', '']],
    failed: [['start', 'Start', '']],
};

function ActionButton({ instance, action: [type, words, warning], reload }) {
    const form = useSubmit((values, options) => acted(instance.id, { type }, options).catch((error) => {
        if (!warning)
            toast(error.message, 'bad');
        throw error;
    }));
    const done = () => { toast(`${words}: done`); reload(); };
    if (!warning)
        return html`<button type="button" class="btn" disabled=${form.busy} onClick=${async () => { if (await form.submit({})) done(); }}>
            ${form.busy && html`<span class="spinner" aria-hidden="true"></span>`}${words}</button>`;
    return html`<${DialogButton} label=${words} title=${`${words} ${instance.name}?`}>${(close) => html`<${Form} form=${form} values=${{}} button=${words}
        done=${() => { close(); done(); }} cancel=${close}><p>${warning}</p></${Form}>`}</${DialogButton}>`;
}

function Delete({ instance }) {
    const form = useSubmit((values, options) => remove(`/v1/instances/${instance.id}`, options));
    return html`<${DialogButton} label="Delete" tone="danger" title=${`Delete ${instance.name}?`}>${(close) => html`<${Form} form=${form} values=${{}} tone="danger" button="Delete for ever"
        done=${() => { toast(`${instance.name} is being deleted`); go('/portal/instances'); }} cancel=${close}>
        <p>The instance and its own disk go for ever. Volumes that you attached stay. Its records and bills stay too.</p></${Form}>`}</${DialogButton}>`;
}

const Actions = ({ instance, reload, session }) => may(session, 'instances:write') && html`${(ACTIONS[instance.state] ?? []).map((action) => html`<${ActionButton} key=${action[0]} instance=${instance} action=${action} reload=${reload} />`)}
    ${['stopped', 'failed'].includes(instance.state) && html`<${Resize} instance=${instance} reload=${reload} /><${Rebuild} instance=${instance} reload=${reload} />`}
    ${!['deleted', 'building', 'pending'].includes(instance.state) && html`<${Delete} instance=${instance} />`}`;

function State({ instance }) {
    return html`<${Card} title="State"><${Facts} rows=${[
        ['State', html`<${Badge} of=${instance.state} /> ${instance.state === 'running' && html`<span class="note">${instance.ready ? 'the guest has answered' : 'the guest has not answered yet'}</span>`}`],
        instance.state_reason && ['Why', instance.state_reason],
        instance.desired_state !== instance.state && ['Wanted', instance.desired_state],
        ['Image', instance.image], ['Size', `${instance.vcpus} vCPU, ${instance.memory_mib} MiB (${instance.flavor})`],
        ['Created', html`<${Time} at=${instance.created_at} />`], ['Started', html`<${Time} at=${instance.started_at} />`],
        ['Address', instance.addresses.map((one) => one.ipv4).join(', ') || 'none'],
        instance.forwards.length && ['Ports', instance.forwards.map((one) => `${one.host}:${one.port} → ${one.guest_port}`).join(', ')],
        instance.volumes.length && ['Disks', instance.volumes.map((one) => one.device).join(', ')],
        ['Id', html`<code>${instance.id}</code>`],
    ]} />${instance.ssh && html`<${Code} label="The ssh command" text=${`ssh -p ${instance.ssh.port} root@${instance.ssh.host}`} />`}</${Card}>`;
}

function Meters({ instance, usage, currency }) {
    const meters = instance.meters_running;
    return html`<${Card} title="Billed now">${meters === null ? html`<${Notice} tone="busy">The meter does not answer at the moment. Nothing is lost: what runs is counted by the hypervisor.</${Notice}>` :
        meters.length ? html`<ul class="checks-list">${meters.map((meter) => html`<li key=${meter}><span class="tick" aria-hidden="true">●</span><span>${nameOf(meter)}</span></li>`)}</ul>` :
            html`<${Empty} title="Nothing"><p>No meter of this instance runs.</p></${Empty}>`}
        ${usage && html`<p class="note">So far <${Money} amount=${usage.amount} currency=${currency} strong /> as of <${Away} at=${usage.as_of} />. <a href=${`/portal/records/${instance.id}`}>Its records, to check</a></p>`}</${Card}>`;
}

const Used = ({ usage }) => html`<${Stats}>
    <${Stat} label="CPU, its own" note=${`waited ${cpuTime(usage.wait_ns ?? 0)} for a CPU (steal)`}>${cpuTime(usage.guest_ns ?? 0)}</${Stat}>
    <${Stat} label="CPU, on its behalf" note=${`${count(usage.exits ?? 0)} exits`}>${cpuTime(usage.hv_ns ?? 0)}</${Stat}>
    <${Stat} label="Disk" note=${`${count(usage.disk_read_ops)} reads, ${count(usage.disk_write_ops)} writes`}>${bytes(BigInt(usage.disk_read_bytes) + BigInt(usage.disk_write_bytes))}</${Stat}>
    <${Stat} label="Network out" note=${`${bytes(usage.net_rx_bytes)} in, ${count(BigInt(usage.net_rx_packets) + BigInt(usage.net_tx_packets))} packets`}>${bytes(usage.net_tx_bytes)}</${Stat}></${Stats}>`;

// Escape sequences would be noise here.
const plain = (text) => text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r/g, '');

function ConsoleLog({ id, session }) {
    const load = useLoad((signal) => get(`/v1/instances/${id}/console_log`, { signal }), [id], 5);
    return html`<${Card} title="Console" aside=${may(session, 'instances:write') && html`<a class="btn small" href=${`/portal/instances/${id}/console`}>Open the console</a>`}><${Loaded} load=${load}>${({ text }) =>
        html`<pre class="console" tabindex="0" aria-label="What the guest wrote">${plain(text) || 'The guest has written nothing yet.'}</pre>`}</${Loaded}></${Card}>`;
}

export default function Instance({ params: { id }, session }) {
    const load = useLoad(async (signal) => {
        const [instance, usage] = await Promise.all([get(`/v1/instances/${id}`, { signal }),
            may(session, 'billing:read') && get(`/v1/instances/${id}/usage`, { signal }).catch((error) => { if (error.status === 409 || error.status === 404) return null; throw error; })]);
        return { instance, usage };
    }, [id], 5, /^(instance|action|volume|forward)[.]/);
    const currency = currencyOf(session);
    const instance = load.data?.instance;
    return html`<${Page} title=${instance?.name ?? 'Instance'} back=${['/portal/instances', 'Instances']}
        actions=${instance && html`<${Actions} instance=${instance} reload=${load.reload} session=${session} />`}>
        <${Loaded} load=${load}>${({ usage }) => html`${usage && html`<${Used} usage=${usage} /><${Graphs} usage=${usage} vcpus=${instance.vcpus} />`}
            <div class="columns two"><${State} instance=${instance} /><${Meters} instance=${instance} usage=${usage} currency=${currency} /></div>
            ${instance.addresses.length > 0 && may(session, 'networks:read') && html`<${Firewall} id=${id} session=${session} />`}
            <${Timeline} id=${id} currency=${currency} /><${ConsoleLog} id=${id} session=${session} />`}</${Loaded}></${Page}>`;
}
