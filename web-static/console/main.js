// The operators' console: who is here, and the list of screens.

import { onEnded } from '../lib/api.js';
import { TurnOn } from '../lib/factor.js';
import { html, render, useCallback, useEffect, useState } from '../lib/html.js';
import { Login } from '../lib/login.js';
import { NewPassword } from '../lib/reset.js';
import { begin, end } from '../lib/live.js';
import { go, segments, start, usePath } from '../lib/router.js';
import { logOut, OPERATOR, restore } from '../lib/session.js';
import { Shell } from '../lib/shell.js';
import { ErrorBox, Loading } from '../lib/ui.js';
import { setRole } from './roles.js';

const ROUTES = [
    { path: '', screen: () => import('./overview.js') },
    { path: 'customers', screen: () => import('./customers.js') },
    { path: 'customers/:id', screen: () => import('./customer.js') },
    { path: 'host', screen: () => import('./host.js') },
    { path: 'domains', screen: () => import('./domains.js') },
    { path: 'domains/:id', screen: () => import('./domain.js') },
    { path: 'prices', screen: () => import('./prices.js') },
    { path: 'prices/:version', screen: () => import('./price_book.js') },
    { path: 'ledger', screen: () => import('./ledger.js') },
    { path: 'ledger/:account', screen: () => import('./transfers.js') },
    { path: 'records/:index', place: 'ledger', screen: () => import('./record.js') },
    { path: 'reconciliation', screen: () => import('./reconciliation.js') },
    { path: 'suspensions', screen: () => import('./suspensions.js') },
    { path: 'bank', screen: () => import('./bank.js') },
    { path: 'invoices', screen: () => import('./invoices.js') },
    { path: 'invoices/:id', screen: () => import('./invoice.js') },
    { path: 'credit_notes', screen: () => import('./credit_notes.js') },
    { path: 'disputes', screen: () => import('./disputes.js') },
    { path: 'disputes/:id', screen: () => import('./dispute.js') },
    { path: 'alerts', screen: () => import('./alerts.js') },
    { path: 'events', screen: () => import('./events.js') },
    { path: 'audit', screen: () => import('./audit.js') },
    { path: 'security', screen: () => import('./security.js') },
    { path: 'operators', screen: () => import('./operators.js') },
];

const GROUPS = [
    { places: [['', 'Overview'], ['alerts', 'Alerts'], ['events', 'Events']] },
    { title: 'Customers', places: [['customers', 'Customers'], ['suspensions', 'Suspensions'], ['disputes', 'Disputes']] },
    { title: 'Money', places: [['prices', 'Price books'], ['bank', 'Bank and vouchers'], ['invoices', 'Invoices'],
        ['credit_notes', 'Credit notes'], ['ledger', 'Ledger'], ['reconciliation', 'Reconciliation']] },
    { title: 'Host', places: [['host', 'This host'], ['domains', 'Domains'], ['operators', 'Operators'], ['audit', 'Audit log'], ['security', 'Your security']] },
];

// Operators have a second factor before anything else.
const Enrol = ({ name, done }) => html`<main class="login" id="main"><section class="card" aria-label="Second factor"><div class="brand"><span class="mark" aria-hidden="true"></span>XenoServer</div>
    <h1>Turn on your second factor</h1><p class="sub">${name}, operators log in with an authenticator's code too. Nothing else works before it is on.</p><${TurnOn} path="/v1/admin/user" done=${done} /></section></main>`;

const NAME = { name: 'name', input: { label: 'Name', autocomplete: 'username' } };

function Console() {
    const [state, set] = useState({ session: undefined, error: null });
    usePath();

    const look = useCallback(async () => {
        try {
            set({ session: await restore(OPERATOR), error: null });
        } catch (error) {
            set({ session: null, error });
        }
    }, []);
    useEffect(() => {
        onEnded((error) => { end(); set({ session: null, error }); });
        look();
    }, []);
    const here = state.session && !(state.session.operator && !state.session.operator.totp);
    useEffect(() => { if (here) begin('/v1/admin/events'); }, [Boolean(here)]);
    const leave = async () => {
        end();
        await logOut(OPERATOR);
        set({ session: null, error: null });
        go('/console/');
    };

    if (state.session === undefined)
        return html`<main id="main" class="login"><${Loading} /></main>`;
    if (segments()[0] === 'setup')
        return html`<${NewPassword} words="Then log in with your name and this password." done=${() => go('/console/', { replace: true })} />`;
    if (state.session === null)
        return html`<${Login} realm=${OPERATOR} title="Operators" words="For those who run this host." nameField=${NAME}
            done=${(session) => set({ session, error: null })}>${state.error && state.error.status !== 401 && html`<${ErrorBox} error=${state.error} />`}</${Login}>`;
    if (state.session.operator && !state.session.operator.totp)
        return html`<${Enrol} name=${state.session.operator.name} done=${look} />`;
    setRole(state.session.operator?.role ?? null);
    return html`<${Shell} base="/console" brand="Operators" groups=${GROUPS} routes=${ROUTES} context=${{ session: state.session }}
        who=${state.session.operator ? `${state.session.operator.name}, ${state.session.operator.role}` : 'By key'} onLeave=${leave} />`;
}

start('/console');
render(html`<${Console} />`, document.getElementById('app'));
