// Who may do what: members, their roles, and who is invited.

import { get, post, remove, request } from '../lib/api.js';
import { Confirm, Once } from '../lib/confirm.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Away, Badge, Card, Code, DialogButton, Empty, Form, Input, Loaded, Notice, Page, Select, Table, toast } from '../lib/ui.js';
import { isWide, may } from './may.js';

const ROLES = { owner: 'Owner: everything, owners too', admin: 'Admin: everything but spending', developer: 'Developer: instances, disks, network, SSH keys',
    billing: 'Billing: money and invoices alone', viewer: 'Viewer: sees what developers see' };
const IN_PROJECT = ['admin', 'developer', 'viewer'];

const rolesFor = (session, project) => Object.entries(ROLES).filter(([role]) => (!project || IN_PROJECT.includes(role)) && (role !== 'owner' || session.role === 'owner') &&
    (role !== 'billing' || may(session, 'billing:write')));

// What is about owners takes the password once more.
function Proof({ values, set, error }) {
    return html`<${Notice} tone="busy"><p>This is about an owner: say your own password once more.</p></${Notice}>
        <${Input} label="Your password" type="password" autocomplete="current-password" value=${values.password} onValue=${(password) => set({ ...values, password })} error=${error?.of?.('password')} />
        <${Input} label="Code (if you have a second factor)" inputmode="numeric" autocomplete="one-time-code" value=${values.code} onValue=${(code) => set({ ...values, code })} error=${error?.of?.('code')} />`;
}

const proofOf = ({ password, code }) => ({ ...(password && { password }), ...(code && { code }) });

function Invited({ made, close }) {
    if (made.path)
        return html`<${Once} words=${`Send this link to ${made.email}. It works once, for a week, and is shown only now.`} label="The link" text=${location.origin + made.path} done=${close} />`;
    return html`<div class="stack"><p>A mail with a link is on its way to ${made.email}.</p><div><button type="button" class="btn primary" onClick=${close}>Done</button></div></div>`;
}

function Invite({ session, projects, close, reload }) {
    const [values, set] = useState({ email: '', role: 'developer', project: isWide(session) ? '' : projects[0]?.id ?? '', password: '', code: '' }), [made, keep] = useState(null);
    const form = useSubmit(({ email, role, project, ...proof }) => post('/v1/invitations', { email, role, ...(project && { project_id: project }), ...proofOf(proof) }, { idempotencyKey: null, project: project || null }));
    const places = [...(isWide(session) ? [['', 'The whole account']] : []), ...projects.map((one) => [one.id, `Project ${one.name}`])];
    const inside = (project) => set({ ...values, project, role: project && !IN_PROJECT.includes(values.role) ? 'developer' : values.role });
    if (made)
        return html`<${Invited} made=${made} close=${close} />`;
    return html`<${Form} form=${form} values=${values} button="Invite" cancel=${close} done=${(one) => { keep(one); reload(); }}>
        <${Input} label="E-mail" type="email" value=${values.email} onValue=${(email) => set({ ...values, email })} error=${form.error?.of?.('email')} autocomplete="off" />
        <${Select} label="For" value=${values.project} options=${places} onValue=${inside} />
        <${Select} label="Role" value=${values.role} options=${rolesFor(session, values.project)} onValue=${(role) => set({ ...values, role })} error=${form.error?.of?.('role')} />
        ${values.role === 'owner' && html`<${Proof} values=${values} set=${set} error=${form.error} />`}</${Form}>`;
}

function Change({ session, row, reload }) {
    const [values, set] = useState({ role: row.role, password: '', code: '' });
    const form = useSubmit(async ({ role, ...proof }) => (await request('PATCH', `/v1/members/${row.id}`, { body: { role, ...proofOf(proof) } })).json());
    return html`<${DialogButton} label="Change" tone="small" title=${`The role of ${row.name}`}>${(close) => html`<${Form} form=${form} values=${values} button="Change role" cancel=${close} done=${() => { close(); toast('The role is changed'); reload(); }}>
        <${Select} label="Role" value=${values.role} options=${rolesFor(session, row.project_id)} onValue=${(role) => set({ ...values, role })} error=${form.error?.of?.('role')} />
        <p class="note">They are logged out, and log in again with the new role.</p>
        ${values.role !== row.role && (values.role === 'owner' || row.role === 'owner') && html`<${Proof} values=${values} set=${set} error=${form.error} />`}</${Form}>`}</${DialogButton}>`;
}

const place = (row, projects) => (row.project_id ? `project ${projects.find((one) => one.id === row.project_id)?.name ?? row.project_id}` : 'the whole account');

const actions = (session, row, reload) => html`<div class="actions">${rolesFor(session, row.project_id).some(([role]) => role === row.role) && html`<${Change} session=${session} row=${row} reload=${reload} />
    ${row.role !== 'owner' && html`<${Confirm} label="Remove" title=${`Remove ${row.name}?`} warning="Their sessions end. Keys that they made go on: revoke those that they know." send=${() => remove(`/v1/members/${row.id}`)} done=${reload} />`}`}</div>`;

export default function Members({ session }) {
    const load = useLoad(async (signal) => {
        const [members, invitations, projects] = await Promise.all(['/v1/members', '/v1/invitations', '/v1/projects'].map((path) => get(path, { signal })));
        return { members: members.data, invitations: invitations.data, projects: projects.data };
    }, []);
    const write = may(session, 'projects:write');
    const columns = ({ projects }) => [
        { title: 'Name', of: (row) => html`${row.name}<br /><span class="muted">${row.email}</span>` },
        { title: 'Role', of: (row) => html`<${Badge} of=${row.role} tone=${row.role === 'owner' ? 'good' : 'plain'} /> <span class="note">${place(row, projects)}</span>` },
        { title: 'Second factor', of: (row) => html`<${Badge} of=${row.totp ? 'on' : 'off'} tone=${row.totp ? 'good' : 'plain'} />`, hide: 'phone' },
        { title: 'Since', of: (row) => html`<${Away} at=${row.created_at} />`, hide: 'phone' },
        write && { title: '', of: (row) => actions(session, row, load.reload), num: true },
    ].filter(Boolean);
    const waiting = ({ projects }) => [
        { title: 'E-mail', of: (row) => row.email },
        { title: 'Role', of: (row) => html`<${Badge} of=${row.role} tone="plain" /> <span class="note">${place(row, projects)}</span>` },
        { title: 'Until', of: (row) => html`<${Away} at=${row.expires_at} />`, hide: 'phone' },
        write && { title: '', num: true, of: (row) => html`<${Confirm} label="Take back" title="Take the invitation back?" warning=${`The link that ${row.email} has opens nothing any more.`} send=${() => remove(`/v1/invitations/${row.id}`)} done=${load.reload} />` },
    ].filter(Boolean);
    return html`<${Page} title="Members" sub="Each with a role: for the whole account, or for projects."
        actions=${write && load.data && html`<${DialogButton} label="Invite somebody" tone="primary">${(close) => html`<${Invite} session=${session} projects=${load.data.projects} close=${close} reload=${load.reload} />`}</${DialogButton}>`}>
        <${Loaded} load=${load}>${(data) => html`<${Card} flush><${Table} label="Members" columns=${columns(data)} rows=${data.members} keyOf=${(row) => row.id} empty=${html`<${Empty} title="Nobody has a login yet"><p>This account is used by keys alone.</p></${Empty}>`} /></${Card}>
            ${data.invitations.length > 0 && html`<${Card} title="Invited" flush><${Table} label="Invitations" columns=${waiting(data)} rows=${data.invitations} keyOf=${(row) => row.id} /></${Card}>`}`}</${Loaded}></${Page}>`;
}
