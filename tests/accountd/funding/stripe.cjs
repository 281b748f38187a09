// stripe.cjs PACKAGE: events with signatures made by Stripe's own library, a JSON object a line:
// {name, expect, signature, body}. expect: an outcome, or the code of a refusal; "again" after an outcome: not new.
'use strict';
const Stripe = require(process.argv[2]);
const stripe = new (Stripe.default || Stripe)('sk_test_not_used');
const now = Math.floor(Date.now() / 1000);
const secret = 'whsec_of_today_0123456789';
const before = 'whsec_of_before_0123456789';

function sign(body, how = {}) {
    const options = { payload: body, secret, timestamp: now, ...how };
    return stripe.webhooks.generateTestHeaderString(options);
}
function say(name, expect, body, signature) {
    console.log(JSON.stringify({ name, expect, signature, body }));
}
function event(id, type, object) {
    return JSON.stringify({ id, object: 'event', api_version: '2026-01-01', created: now, livemode: false,
                            pending_webhooks: 1, type, data: { object } }, null, 2);
}
const metadata = { account_id: 'acc', note: 'Größe 😀 "quoted" \\ \u2028' };
const paid = event('evt_1', 'payment_intent.succeeded',
                   { id: 'pi_1', object: 'payment_intent', amount: 2500, amount_received: 2500, currency: 'eur', metadata });
const session = event('evt_2', 'checkout.session.completed',
                      { id: 'cs_1', object: 'checkout.session', payment_intent: 'pi_1', payment_status: 'paid',
                        amount_total: 2500, currency: 'eur', metadata });
const refund = event('evt_3', 'charge.refunded', { id: 'ch_1', object: 'charge', payment_intent: 'pi_1', amount: 2500,
                                                   amount_refunded: 500, currency: 'eur', metadata: {} });

say('a body with a letter changed', 'forbidden', paid.replace('"amount_received": 2500', '"amount_received": 9500'), sign(paid));
say('a body with a space more', 'forbidden', paid + ' ', sign(paid));
say('a signature 400 s old', 'forbidden', paid, sign(paid, { timestamp: now - 400 }));
say('a signature 400 s ahead', 'forbidden', paid, sign(paid, { timestamp: now + 400 }));
say('a signature by another secret', 'forbidden', paid, sign(paid, { secret: 'whsec_of_nobody_0123456789' }));
say('a signature of another scheme', 'forbidden', paid, sign(paid, { scheme: 'v0' }));
say('its time changed', 'forbidden', paid, sign(paid).replace(/^t=\d+/, `t=${now - 1}`));
say('a payment', 'credited', paid, sign(paid));
say('the same request again', 'credited again', paid, sign(paid));
say('the session of the same payment, by the secret of before', 'seen', session, sign(session, { secret: before }));
say('both secrets at once', 'seen again', session, sign(session, { secret: before }) + ',' + sign(session).split(',')[1]);
say('a refund', 'taken', refund, sign(refund));
say('a type that is not known', 'stored', event('evt_4', 'customer.created', { id: 'cus_1' }),
    sign(event('evt_4', 'customer.created', { id: 'cus_1' })));
for (let i = 0; i < 1000; i++)
    say(`duplicate ${i}`, 'credited again', paid, sign(paid, { timestamp: now - i % 200 }));
