// A record's tick: worked out here, in the browser, with what it hangs on behind it.

import { html, useEffect, useState } from './html.js';
import { Code, DialogButton } from './ui.js';
import { verifyRecord } from './verify/record.js';

export const Checks = ({ checks }) => html`<ul class="checks-list">${checks.map((check) => html`<li key=${check.what}>
    <span class=${check.good ? 'tick' : 'cross'} role="img" aria-label=${check.good ? 'holds' : 'does not hold'}>${check.good ? '✓' : '✗'}</span>
    <span>${check.what}${check.why && html`<span class="error">: ${check.why}</span>`}</span></li>`)}</ul>`;

// { good, checks } once it has been checked.
function useVerdict(record, logKey) {
    const [verdict, set] = useState(null);
    useEffect(() => {
        let gone = false;
        verifyRecord(record, logKey).then((found) => gone || set(found), (error) => gone || set({ good: false, checks: [{ what: 'It can be checked', good: false, why: error.message }] }));
        return () => { gone = true; };
    }, [record, logKey]);
    return verdict;
}

export function Verdict({ record, logKey }) {
    const verdict = useVerdict(record, logKey);
    if (!verdict)
        return html`<span class="spinner" role="img" aria-label="Checking"></span>`;
    const pending = !verdict.good && !record.proof;
    return html`<${DialogButton} label=${pending ? 'Not yet in a head' : verdict.good ? '✓ Verified' : '✗ Not verified'} tone=${`small ${verdict.good ? 'verified' : pending ? '' : 'danger'}`}
        title=${`Record ${record.index}`}>${() => html`<div class="stack"><${Checks} checks=${verdict.checks} /><h3>The record as it was hashed</h3><${Code} label="The record" text=${record.leaf} />
        <h3>Its proof</h3><${Code} label="The proof" text=${record.proof ?? 'none yet'} /></div>`}</${DialogButton}>`;
}
