// Who is billed.

import { get, put } from '../lib/api.js';
import { html, useState } from '../lib/html.js';
import { useLoad, useSubmit } from '../lib/load.js';
import { Card, Facts, Form, Input, Loaded, Page, Time, toast } from '../lib/ui.js';

const FIELDS = [['name', 'Name or company', 'organization'], ['street', 'Street and number', 'street-address'], ['postcode', 'Postcode', 'postal-code'], ['city', 'City', 'address-level2'],
    ['country', 'Country (two letters)', 'country'], ['vat_id', 'VAT id (companies)', 'off'], ['email', 'E-mail for invoices', 'email']];

function Details({ details }) {
    const [values, set] = useState(Object.fromEntries(FIELDS.map(([name]) => [name, details[name] ?? ''])));
    const form = useSubmit(({ vat_id, ...rest }) => put('/v1/account/billing_details', { ...rest, country: rest.country.toUpperCase(), ...(vat_id && { vat_id }) }));
    return html`<${Form} form=${form} values=${values} button="Save" done=${() => toast('Saved')}>${FIELDS.map(([name, label, autocomplete]) => html`<${Input} key=${name} label=${label} value=${values[name]} autocomplete=${autocomplete}
        onValue=${(value) => set({ ...values, [name]: value })} error=${form.error?.of?.(name)} />`)}</${Form}>`;
}

export default function Account() {
    const load = useLoad(async (signal) => {
        const [account, details] = await Promise.all([get('/v1/account', { signal }), get('/v1/account/billing_details', { signal })]);
        return { account, details };
    }, []);
    return html`<${Page} title="Billing details" sub="They stand on your invoices and say which tax applies. A change closes what is open under the old ones with an invoice first.">
        <${Loaded} load=${load}>${({ account, details }) => html`<div class="columns two"><${Card} title="Who is billed"><${Details} details=${details} /></${Card}>
            <${Card} title="Account"><${Facts} rows=${[['Name', account.name], ['Currency', account.currency], ['Since', html`<${Time} at=${account.created_at} />`], ['Id', html`<code>${account.id}</code>`]]} /></${Card}></div>`}</${Loaded}></${Page}>`;
}
