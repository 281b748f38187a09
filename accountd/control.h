/* accountd's socket, /run/xs/accountd.sock: verbs, arguments, results, who may call.
 * Protocol and common errors: common/rpc.h. Amounts are decimal strings of
 * 10^-9 of the currency (nano). Every verb that changes something takes an id
 * made by the caller: the same id and content again answers as the first time,
 * the same id with other content is `conflict`.
 *
 * account_open   {account_id, name, currency}                    api        -> {account_id}
 * account_standing {account_id}                                 api        -> {account_id, funded_nano, spent_nano, posted_nano, held_nano, uninvoiced_nano,
 *                                                                              carried_nano, payments_taken_back, taken_back_nano, taken_unpaid_nano,
 *                                                                              disputes, disputes_open, stops, last_stop_ms}
 *                For operators: the wallet and all purchase orders together (accountd/ledger/standing.h); funded = spent + posted
 * fund           {transfer_id, account_id, amount_nano, reason, operator}
 *                                                                api        -> {posted_nano, held_nano, available_nano}   credit that an operator gives
 * wallet         {account_id[, after][, limit]}                 api        -> {account_id, currency, payment_reference, posted_nano, held_nano, available_nano,
 *                                                                              entries:[{transfer_id, at_ms, amount_nano, code, reason, refers}], next,
 *                                                                              cap_state, burn_nano_per_hour, lasts_until_ms}
 *                Newest first, at most 200; `next` is the `after` of the older ones, or null
 *                cap_state: ok, or why what it pays for does not run: suspended, stopped, deleted. lasts_until_ms: null while nothing burns
 *                payment_reference: what a bank transfer must carry to be matched (ISO 11649)
 * bank_import    {import_id, camt053, operator}                  api, root  -> {import_id, entries, credited, suspense, ignored, duplicates, credited_nano,
 *                                                                              suspense_nano, listed:[{line, entry_id, state, amount_nano, currency
 *                                                                              [, account_id][, why]}]}
 *                camt053: the text of a camt.053.001.02 or .08 file (ISO 20022), at most 700 KiB and 3,000 payments; all of it is booked or nothing (bad_request names
 *                line and element). What was booked before, from this file or another, is a duplicate (state "duplicate"): accountd/funding/bank.h
 *                says how an entry is known again. Credits that name no account go to suspense. listed: the first 500. conflict: the host has no IBAN
 * bank_entries   {[state][, after][, limit]}                     api, root  -> {entries:[{number, entry_id, source, state, amount_nano, currency, at_ms, ...}],
 *                                                                              next}  oldest first, at most 500; source: bank or card; state: credited,
 *                                                                              suspense, ignored, assigned, returned. Texts that are empty are left out
 * bank_assign    {transfer_id, entry_id, account_id, operator}   api, root  -> {entry_id, state}   out of suspense into a wallet: what no refund has taken
 *                                                                              back meanwhile. conflict: not in suspense any more
 * bank_return    {transfer_id, entry_id, operator, reason}       api, root  -> {entry_id, state}   out of suspense, back to whom it came from: the operator
 *                                                                              has sent it, or sends it
 * payment_event  {provider:"stripe", signature, body}            api        -> {event_id, new, outcome}   signature: the header Stripe-Signature; body: the
 *                bytes that were signed, at most 256 KiB. outcome as accountd/funding/payment.h says; new: false if this event came before.
 *                forbidden: not signed by the provider, or more than 300 s old or ahead; unavailable: no provider is set up
 * voucher_create {voucher_id, amount_nano[, expires_ms], operator} api      -> {voucher_id, code, amount_nano[, expires_ms]}   the same id: the same code
 * voucher_redeem {transfer_id, account_id, code}                 api        -> {amount_nano, posted_nano, held_nano, available_nano}
 *                not_found: no such code, or expired, in the same words; conflict: redeemed before; quota_exceeded (quota wrong_vouchers_per_minute)
 *                after 10 wrong codes of the account in a minute
 * holds          {account_id}                                    api        -> {holds:[{hold_id, instance_id, purchase_order_id, amount_nano, at_ms}]}
 *                purchase_order_id null: held in the wallet
 * purchase_order_create {po_id, account_id, name, amount_nano[, end_ms]}
 *                                                                api        -> {purchase_order}   insufficient_funds {needed_nano, available_nano}
 *                Takes the amount from the wallet. From end_ms on it takes no launches, and what is free goes back
 * purchase_order_add    {transfer_id, po_id, account_id, amount_nano}
 *                                                                api        -> {purchase_order}   more money; insufficient_funds; conflict: ended
 * purchase_order_close  {po_id, account_id}                      api        -> {purchase_order}   the rest goes back; conflict: instances are paid from it
 * purchase_order        {po_id, account_id}                      api        -> {purchase_order}
 * purchase_orders       {account_id[, after][, limit]}           api        -> {purchase_orders:[{po_id, account_id, name, state, funded_nano, held_nano,
 *                                                                              spent_nano, available_nano, created_ms, end_ms, cap_state,
 *                                                                              burn_nano_per_hour, lasts_until_ms}], next}   the last three as of a wallet
 *                The newest first, at most 200; after: a `next`. state: open, ended, closed; funded = spent + held + available; end_ms null: none
 * transfers      {account[, after][, limit]}                     api        -> {transfers:[{seq, transfer_id, kind, debit, credit, amount_nano, pending_id,
 *                                                                              code, reason, refers, at_ms, expires_ms}], next}
 *                For operators: any account of the ledger, oldest first, at most 200
 * trial_balance  {}                                              api        -> {accounts:[{account, kind, debit_nano, credit_nano}], debit_nano, credit_nano,
 *                                                                              last_seq, sound, differs}
 *                For operators. Customers are one line, their purchase orders another. Adds all entries up again: `sound` says whether that gives
 *                the balances, `differs` names the first account where not, or is null
 * ledger_journal {[account_id]}                                  api        -> {path}   hledger's journal, readable by api's group: of one customer
 *                                                                              (its wallet, purchase orders, holds), or of the host
 * price_books    {}                                             api        -> {price_books:[{version, currency, state:"published", valid_from, moves_running_at
 *                                                                              (RFC 3339 or null)[, published_ms, proposed_by, published_by]}], current}
 *                current: the version that a registration takes now. The first book comes from the configured file, by nobody
 * price_book     {[version]}                                     api        -> {version, currency, meters:[...], ..., signature}   as published (rate.h),
 *                                                                              current if no version is given; signature: minisig over the canonical JSON
 *                                                                              of all but itself
 * price_book_diff {from, to}                                     api        -> {from, to, valid_from, moves_running_at (of `to`), meters:[{meter, unit,
 *                                                                              was, is}]}   of published or proposed versions; meters whose price differs, in words
 * price_book_propose {body, operator}                            api        -> {version, currency, state, operator, at_ms, decided_by, decided_ms, valid_from,
 *                                                                              moves_running_at, book}   body: a price book (rate.h), its version above all
 *                published ones and not proposed before, or `conflict`: a version is spent, whatever becomes of the proposal. operator: api's operator key
 *                id. The configured file proposes as "config"
 * price_book_approve {version, operator}                         api        -> as price_book_propose   publishes, signs and logs it. `forbidden` to whoever
 *                proposed it; `conflict` if it was withdrawn, a higher one is published, or moves_running_at is past
 * price_book_withdraw {version, operator}                        api        -> as price_book_propose   any operator, until it is published
 * price_proposals {}                                             api        -> {price_proposals:[as price_book_propose]}   published and withdrawn ones too
 * quote          {[account_id, ]vcpus, memory_mib, seconds[, cpu_percent][, disk_ops][, disk_bytes][, net_packets][, net_bytes_out][, net_bytes_in]}
 *                                                                api        -> {price_book, currency, seconds, lines:[{meter, quantity, quantity_per_unit, unit,
 *                                                                              price (in words), amount_nano}], total_nano, per_hour_nano, hold_nano
 *                                                                              [, tax:{as in an invoice}, total_with_tax_nano]}
 *                The last five: what is expected in all of `seconds`, decimal strings. Priced from now on, month by month, as it would be billed, net of
 *                tax. With account_id: after what the account used this month, and what tax it would bear. per_hour_nano: the first hour. hold_nano: the most
 *                that an hour without the last five can cost, whatever was used before, with the account's tax
 * replay         {account_id, period, version}                   api        -> {account_id, period, version, currency, lines:[{meter, unit, quantity,
 *                                                                              quantity_per_unit, price (in words), amount_nano, billed_nano}], total_nano,
 *                                                                              billed_nano}
 *                What the month ("2026-11", this one so far) would have cost under that published or proposed version, as invoices round it, and what it was billed by
 *                the books in force; without tax. Of this log (origin)
 * instance_register {account_id, instance_id, domain_uuid, incarnation, vcpus, memory_mib[, purchase_order_id]}
 *                                                                provisioner-> {hold_nano}
 *                Before the incarnation first runs. Takes (or keeps) the instance's hold, sized by the quote for hold_s (accountd.conf; an hour); insufficient_funds
 *                refuses the launch. incarnation: 32 hex digits, from the stats page slot. purchase_order_id: who pays, instead of the wallet; an
 *                instance keeps its payer. not_found: no such order of this account; conflict: it is another than before, or takes no launches
 * instance_close {instance_id}                                   provisioner-> {}     no further incarnation comes; releases the hold once all
 *                                                                              its records are final
 * usage          {account_id[, instance_id][, open][, after][, limit]}
 *                                                                api        -> {instances:[{instance_id, state, incarnations, guest_ns, hv_ns,
 *                                                                              wait_ns, page_seconds, exits, hypercalls, events, disk..., net...,
 *                                                                              amount_nano, meters_running:[...], as_of_ms}], next}  live, to this second
 *                The newest instances first, at most 200; after: a `next`. open: true: all that may still run, and no others. amount_nano: what it was charged, and what it has used since at the price of its next record; without tax
 * charged        {account_id, incarnations:[...]}                api        -> {charged_nano:{INCARNATION: amount}}   what each was charged so far,
 *                without tax, at most 200 of them. Left out: another account's, unknown, registered before that was kept
 * usage_summary  {account_id, from_day, to_day, by}              api        -> {rows:[{day, instance_id, meter, quantity, quantity_per_unit, unit, units,
 *                                                                              amount_nano}]}
 *                Days of UTC, "2026-11-01", both included, 366 at most; a record is of the day in which it begins. by: "meter", "instance", "day" or
 *                some of them with commas: what is not asked for is summed and left out, and without meter the quantities are. Rows in order. quantity
 *                exact, units the same in priced units, amount_nano as charged, without tax
 * records        {account_id, instance_id[, after][, limit][, proofs]}
 *                                                                api        -> {records:[{index, leaf[, leaf_hash, proof]}], next}
 *                proofs: true: with the leaf's hash (RFC 6962, hex) and its C2SP tlog-proof file under the newest head; proof is null while
 *                no head has the leaf. At most 100 of them: proofs are long
 * leaf           {index[, origin]}                               api        -> {index, origin, type, account_id, instance_id, incarnation, leaf, leaf_hash,
 *                                                                              proof}
 *                For operators: what a transfer's `refers` "leaf ORIGIN INDEX" names. account_id, instance_id,
 *                incarnation: null in leaves about the host.
 *                not_found: another log's (this one without origin), or it has not so many leaves yet
 * account_details {account_id}                                   api        -> {account_id, details: party}   who the customer is on invoices (party.h)
 * account_details_set {account_id, name[, street][, postcode][, city][, country][, vat_id][, email]}
 *                                                                api        -> {account_id, details}   what was used until now is invoiced first, under
 *                                                                              the old ones: tax depends on them
 * invoice_draft  {account_id}                                    api        -> {invoice}   what an invoice of now would say, as far as it is charged (kind draft)
 * invoice_create {invoice_id, account_id}                        api        -> {invoice}   everything final and not yet invoiced; closes a segment
 *                                                                              of what still runs; at once durable. `conflict`: nothing was used.
 *                                                                              Months that are over are invoiced without being asked for
 * invoice_list   {[account_id][, after][, limit]}                api        -> {invoices:[...], next}   invoices and credit notes by number, after
 *                                                                              this one, at most 1000; without lines, details and chains
 * invoice_get    {[account_id,] invoice_id}                      api        -> {invoice, bundle_path}   the tar, readable by api's group
 * credit_note_create {credit_note_id, invoice_id, reason, operator[, lines:[{line, amount_nano}]]}
 *                                                                api        -> {invoice}   gives back whole cents of an invoice's lines, with their tax;
 *                                                                              without `lines` all that is left. `conflict`: more than is left
 *                Invoices are those of accountd/invoice.h (xs-invoice/v2)
 * dispute_open   {dispute_id, account_id, invoice_id, reason[, line][, claim:{incarnation, counter, value}]}
 *                                                                api        -> {dispute}   gathers and signs the evidence at once. line: absent, all of the
 *                                                                              invoice. claim: what a counter of the guest's own slot says, a decimal
 *                                                                              string. `conflict`: this line is disputed already, or is not there
 * disputes       {[account_id][, after][, limit]}                api        -> {disputes:[dispute], next}   oldest first, at most 200, without evidence
 * dispute        {[account_id,] dispute_id}                      api        -> {dispute: {dispute_id, account_id, invoice_id, line, reason, claim, opened_ms,
 *                                                                              state: open|resolved, outcome, resolution, operator, credit_note_id,
 *                                                                              resolved_ms, verdict: same|differs|unproven, proposed_nano,
 *                                                                              evidence:{lines, claim, credit_note}, document, signature}}
 *                document: all of the evidence as it is signed (accountd/dispute/evidence.h; null above 512 KiB); signature: minisig of it by the invoice key
 * dispute_resolve {dispute_id, operator, outcome, reason[, lines:[{line, amount_nano}]]}
 *                                                                api        -> {dispute}   once. outcome "accepted" issues the credit note over `lines`, or
 *                                                                              over what the evidence proposes; "rejected" gives nothing back
 * host_books     {[after][, limit]}                              api, root  -> {host_books:[{index, ...}], next}   the host's own statements, newest first,
 *                                                                              at most 200; fields of accountd/hostbooks.h; index: its leaf
 * host_books_now {}                                              api, root  -> {statement}   one of now
 * checkpoint     {}                                              api        -> {text, keys}   with cosignatures; keys: keys.txt, what xs-verify --key reads
 * keys           {}                                              api, root  -> {text[, root_key, signature]}   keys.txt, and the root key's signature of it, if
 *                                                                              there is one (minisign's formats)
 * key_rotate     {purpose, current, overlap}                     root       -> {keys}   purpose "log" or "invoice"; current: the id of the key to replace, 8 or 16 hex
 *                                                                              digits as in keys.txt; replaced already: nothing is done. overlap: leaves for which
 *                                                                              both log keys sign (0 to 1000000). conflict: not a key of ours, or two still sign
 * keys_sign      {root_key, signature}                           root       -> {}   minisign's texts, made offline over today's keys.txt. conflict: does not fit it
 * cosignatures   {[size]}                                        api, root  -> {size, cosignatures:[{witness, line}]}   of the newest head, or of this size
 * cosignature_add {size, line}                                   xs-cosign  -> {witness}   a cosignature/v1 line on our head of `size` leaves, checked against
 *                                                                              witnesses.json (forbidden); published with the checkpoint
 * alerts         {[account_id][, standing][, after][, limit]}      api, root  -> {alerts:[{number, key, kind, account_id, subject, detail, raised_ms,
 *                                                                              cleared_ms}], next}  oldest first; without account_id everybody's and the
 *                                                                              operator's; standing: true: only those not cleared
 * deposits       {[after][, limit]}                              api, root  -> {deposits:[{number, transfer_id, account_id, currency, amount_nano, code,
 *                                                                              at_ms}]}  money that arrived, oldest first, at most 200; account_id
 *                                                                              null: in suspense
 * news           {alert, invoice, deposit[, wait_ms]}            api        -> {alert, invoice, deposit}   the newest numbers of `alerts`, `invoice_list` and `deposits`. wait_ms up
 *                                                                              to 30000: answers when one of them is another than was given, or the
 *                                                                              time is up
 * budget_set     {budget_id, account_id, amount_nano, steps:[percent]}   api -> {}     a month's amount; sets it anew, "0" removes it. Alerts say
 *                                                                              once a month that a step is reached; nothing is stopped.
 *                quota_exceeded (quota budgets_max) beyond 32 of an account
 * budgets        {[account_id]}                                  api, root  -> {budgets:[{budget_id, account_id, amount_nano, steps, period, spent_nano}]}
 * suspensions    {[account_id]}                                  api, root  -> {suspensions:[{payer, account_id, state: suspended|stopped|deleted,
 *                                                                              by: money|operator[, operator, reason], since_ms,
 *                                                                              next: stop|delete|null, next_in_ms, instances:[{instance_id,
 *                                                                              want: run|suspend|stop|delete, held}]}]}
 *                payer: the account, or "po:" and the purchase order; of an operator's suspension the account or instance. next_in_ms is of the host's running time
 * suspension_preview {account_id[, instance_id]}                  api        -> {instances:[{instance_id, paused}], burn_nano_per_hour, uncharged_nano}
 *                What `suspend` would stop; paused: it is already. The last two are of all of the account
 * suspend        {account_id[, instance_id], reason, operator}   api        -> {suspension: as in suspensions}   an operator stops all of a customer's guests,
 *                or one: paused at once, billed nothing, nothing more of it is launched (forbidden), nothing is deleted. Again: the same.
 *                not_found: another account's instance
 * resume         {account_id[, instance_id]}                     api        -> {}     what an operator suspended goes on, if there is money. conflict: nobody did
 * cap            {}                                              api, root  -> {loop_ms, grace_suspended_s, retention_s, events, stops, p50_ms, p99_ms, max_ms,
 *                                                                              overshoot_max_nano, last:[{payer, at_ms, instances, took_ms,
 *                                                                              overshoot_nano}]}
 *                How well the cap holds, measured: from the end of a payer's money until a guest ran no more (of the last 1000
 *                stops), and the most that was used past the money, ever: the host carries it
 * domains        {}                                              api, root  -> {domains:[{slot, domid, state: live|tombstone, vcpus_running, pages, guest_ns,
 *                                                                              hv_ns, wait_ns, exits, hypercalls[, account_id, instance_id, paused,
 *                                                                              record_age_ms]}], sampled_ns, as_of_ms, clock_error_ms, checkpoint}
 *                The newest sample of the stats page, slot by slot; the last four once it has a record. clock_error_ms: how far as_of_ms may be off
 * status         {}                                              api, root  -> {samples, misses, last_sample_age_ms, conservation_ok,
 *                                                                              cpus:[{guest_ns, hv_ns, idle_ns}], log_size, origin, version}
 */
#ifndef ACCOUNTD_CONTROL_H
#define ACCOUNTD_CONTROL_H

#define ACCOUNTD_SOCKET "/run/xs/accountd.sock"

#endif
