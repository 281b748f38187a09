// The customers' portal: who is here, and the list of screens.

import { get, onEnded, useProject } from '../lib/api.js';
import { html, render, useCallback, useEffect, useState } from '../lib/html.js';
import { begin, end } from '../lib/live.js';
import { go, segments, start, usePath } from '../lib/router.js';
import { CUSTOMER, logOut, restore } from '../lib/session.js';
import { Shell } from '../lib/shell.js';
import { ErrorBox, Loading, Select } from '../lib/ui.js';
import { isWide, may, mayWide } from './may.js';

const ROUTES = [
    { path: '', screen: () => import('./home.js') },
    { path: 'instances', screen: () => import('./instances.js') },
    { path: 'create', place: 'instances', screen: () => import('./create.js') },
    { path: 'instances/:id', screen: () => import('./instance.js') },
    { path: 'instances/:id/console', place: 'instances', screen: () => import('./console.js') },
    { path: 'ssh_keys', screen: () => import('./ssh_keys.js') },
    { path: 'volumes', screen: () => import('./volumes.js') },
    { path: 'snapshots', screen: () => import('./snapshots.js') },
    { path: 'networks', screen: () => import('./networks.js') },
    { path: 'usage', screen: () => import('./usage.js') },
    { path: 'records/:id', place: 'usage', screen: () => import('./records.js') },
    { path: 'wallet', screen: () => import('./wallet.js') },
    { path: 'orders', screen: () => import('./orders.js') },
    { path: 'budgets', screen: () => import('./budgets.js') },
    { path: 'invoices', screen: () => import('./invoices.js') },
    { path: 'invoices/:id', screen: () => import('./invoice.js') },
    { path: 'disputes', screen: () => import('./disputes.js') },
    { path: 'projects', screen: () => import('./projects.js') },
    { path: 'members', screen: () => import('./members.js') },
    { path: 'keys', screen: () => import('./keys.js') },
    { path: 'webhooks', screen: () => import('./webhooks.js') },
    { path: 'audit', screen: () => import('./audit.js') },
    { path: 'security', screen: () => import('./security.js') },
    { path: 'account', screen: () => import('./account.js') },
];

// Behind links in mails: the same whether or not somebody is logged in here.
const VISITS = ['verify', 'invitation'];

// [path, words, the scope that it takes, whether it is the whole account's].
const GROUPS = [
    { places: [['', 'Home']] },
    { title: 'Compute', places: [['instances', 'Instances', 'instances:read'], ['volumes', 'Volumes', 'volumes:read'], ['snapshots', 'Snapshots', 'volumes:read'],
        ['networks', 'Networks', 'networks:read'], ['ssh_keys', 'SSH keys', 'ssh_keys:read']] },
    { title: 'Money', places: [['usage', 'Usage'], ['wallet', 'Wallet'], ['orders', 'Purchase orders'], ['budgets', 'Budgets'],
        ['invoices', 'Invoices'], ['disputes', 'Disputes']].map(([path, words]) => [path, words, 'billing:read', true]) },
    { title: 'Account', places: [['projects', 'Projects', 'projects:read'], ['members', 'Members', 'projects:read'], ['keys', 'API keys', 'keys:read'], ['webhooks', 'Webhooks', 'webhooks:read', true],
        ['account', 'Billing details', 'account:read', true], ['security', 'Security'], ['audit', 'Audit log', 'account:read', true]] },
];

const placesOf = (session) => GROUPS.map(({ title, places }) => ({ title, places: places.filter(([, , scope, wide]) => !scope || (wide ? mayWide : may)(session, scope)) }))
    .filter(({ places }) => places.length);

// Within which project everything is shown and made. Which one was chosen stays with the browser.
function Chooser({ session, projects, choose }) {
    const now = session.project_id ?? '';
    return projects.length > 1 && html`<div class="within"><${Select} label="Project" value=${now} onValue=${choose}
        options=${[...(isWide(session) ? [['', 'All of the account']] : []), ...projects.map((one) => [one.id, one.name])]} /></div>`;
}

// Who is here, within the project that was chosen; a project that is not theirs, or is gone, is forgotten.
async function whoIsHere(project) {
    useProject(project);
    const session = await restore(CUSTOMER);
    if (session || !project)
        return session;
    localStorage.removeItem('xs-project');
    useProject(null);
    return restore(CUSTOMER);
}

function Portal() {
    usePath();
    const [state, set] = useState({ session: undefined, error: null }), [projects, list] = useState([]);

    const enter = async (session) => {
        set({ session, error: null });
        list(session ? (await get('/v1/projects').catch(() => ({ data: [] }))).data : []);
    };
    const look = useCallback(async () => {
        try {
            await enter(await whoIsHere(localStorage.getItem('xs-project')));
        } catch (error) {
            set({ session: null, error });
        }
    }, []);
    useEffect(() => {
        onEnded((error) => { end(); set({ session: null, error }); });
        look();
    }, []);
    const here = state.session ? state.session.project_id ?? '' : null;
    useEffect(() => { if (here !== null) begin('/v1/events'); }, [here]);
    const choose = async (id) => {
        if (id)
            localStorage.setItem('xs-project', id);
        else
            localStorage.removeItem('xs-project');
        useProject(id || null);
        set({ session: state.session.key ? { ...state.session, project_id: id || null } : await restore(CUSTOMER), error: null });
    };
    const leave = async () => {
        end();
        await logOut(CUSTOMER);
        useProject(null);
        set({ session: null, error: null });
        go('/portal/');
    };

    if (state.session === undefined)
        return html`<main id="main" class="login"><${Loading} /></main>`;
    if (state.session === null || VISITS.includes(segments()[0]))
        return html`<${Enter} error=${state.error} done=${enter} />`;
    return html`<${Shell} key=${here} base="/portal" brand="XenoServer" groups=${placesOf(state.session)} routes=${ROUTES} context=${{ session: state.session, changed: () => enter(state.session) }}
        who=${state.session.user?.email ?? state.session.probe?.name} onLeave=${leave}
        chooser=${html`<${Chooser} session=${state.session} projects=${projects} choose=${choose} />`} />`;
}

function Enter({ error, done }) {
    const [Screen, set] = useState(null);
    useEffect(() => { import('./enter.js').then((module) => set(() => module.default)); }, []);
    return Screen ? html`<${Screen} error=${error} done=${done} />` : html`<main id="main" class="login"><${error ? ErrorBox : Loading} error=${error} /></main>`;
}

start('/portal');
render(html`<${Portal} />`, document.getElementById('app'));
