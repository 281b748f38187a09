// The customers' portal: who is here, and the list of screens.

import { onEnded } from '../lib/api.js';
import { html, render, useCallback, useEffect, useState } from '../lib/html.js';
import { begin, end } from '../lib/live.js';
import { go, start } from '../lib/router.js';
import { CUSTOMER, logOut, restore } from '../lib/session.js';
import { Shell } from '../lib/shell.js';
import { ErrorBox, Loading } from '../lib/ui.js';

const ROUTES = [
    { path: '', screen: () => import('./home.js') },
    { path: 'instances', screen: () => import('./instances.js') },
    { path: 'create', place: 'instances', screen: () => import('./create.js') },
    { path: 'instances/:id', screen: () => import('./instance.js') },
    { path: 'instances/:id/console', place: 'instances', screen: () => import('./console.js') },
    { path: 'ssh_keys', screen: () => import('./ssh_keys.js') },
    { path: 'usage', screen: () => import('./usage.js') },
    { path: 'records/:id', place: 'usage', screen: () => import('./records.js') },
    { path: 'wallet', screen: () => import('./wallet.js') },
    { path: 'orders', screen: () => import('./orders.js') },
    { path: 'budgets', screen: () => import('./budgets.js') },
    { path: 'invoices', screen: () => import('./invoices.js') },
    { path: 'invoices/:id', screen: () => import('./invoice.js') },
    { path: 'disputes', screen: () => import('./disputes.js') },
    { path: 'keys', screen: () => import('./keys.js') },
    { path: 'webhooks', screen: () => import('./webhooks.js') },
    { path: 'audit', screen: () => import('./audit.js') },
    { path: 'security', screen: () => import('./security.js') },
    { path: 'account', screen: () => import('./account.js') },
];

const GROUPS = [
    { places: [['', 'Home']] },
    { title: 'Compute', places: [['instances', 'Instances'], ['ssh_keys', 'SSH keys']] },
    { title: 'Money', places: [['usage', 'Usage'], ['wallet', 'Wallet'], ['orders', 'Purchase orders'], ['budgets', 'Budgets'],
        ['invoices', 'Invoices'], ['disputes', 'Disputes']] },
    { title: 'Account', places: [['keys', 'API keys'], ['webhooks', 'Webhooks'], ['account', 'Billing details'], ['security', 'Security'], ['audit', 'Audit log']] },
];

function Portal() {
    const [state, set] = useState({ session: undefined, error: null, Login: null });

    const look = useCallback(async () => {
        try {
            set({ session: await restore(CUSTOMER), error: null });
        } catch (error) {
            set({ session: null, error });
        }
    }, []);
    useEffect(() => {
        onEnded((error) => { end(); set({ session: null, error }); });
        look();
    }, []);
    useEffect(() => { if (state.session) begin('/v1/events'); }, [Boolean(state.session)]);
    const leave = async () => {
        end();
        await logOut(CUSTOMER);
        set({ session: null, error: null });
        go('/portal/');
    };

    if (state.session === undefined)
        return html`<main id="main" class="login"><${Loading} /></main>`;
    if (state.session === null)
        return html`<${Enter} error=${state.error} done=${(session) => set({ session, error: null })} />`;
    return html`<${Shell} base="/portal" brand="XenoServer" groups=${GROUPS} routes=${ROUTES} context=${{ session: state.session }}
        who=${state.session.user?.email ?? state.session.probe?.name} onLeave=${leave} />`;
}

function Enter({ error, done }) {
    const [Screen, set] = useState(null);
    useEffect(() => { import('./enter.js').then((module) => set(() => module.default)); }, []);
    return Screen ? html`<${Screen} error=${error} done=${done} />` : html`<main id="main" class="login"><${error ? ErrorBox : Loading} error=${error} /></main>`;
}

start('/portal');
render(html`<${Portal} />`, document.getElementById('app'));
