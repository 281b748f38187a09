/* Verbs for operators: the ledger as a bookkeeper sees it. */
#include "accountd/control/args.h"
#include "accountd/ledger/chart.h"
#include "accountd/ledger/hledger.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSFERS_SHOWN 200

struct page {
    json_t *list;
    int room;                           /* for so many more */
    int64_t last, next;                 /* the last one's seq; 0, or `last` if there are more */
};

static int add_transfer(void *arg, const struct ledger_transfer *t)
{
    struct page *page = arg;
    json_t *json;

    if (page->room-- == 0) {
        page->next = page->last;
        return 0;
    }
    page->last = t->seq;
    json = json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:s?, s:s, s:s, s:s, s:I}", "seq", (json_int_t)t->seq,
                     "transfer_id", t->id, "kind", t->kind, "debit", t->debit, "credit", t->credit, "amount_nano",
                     json_decimal(t->amount_nano), "pending_id", t->pending_id, "code", t->code, "reason", t->reason,
                     "refers", t->refers, "at_ms", (json_int_t)t->at_ms);
    json_object_set_new(json, "expires_ms", t->expires_ms ? json_integer((json_int_t)t->expires_ms) : json_null());
    return json_array_append_new(page->list, json);
}

static int transfers(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_walk walk = { .limit = 0 };
    struct page page;
    int64_t limit;
    struct json_why why;

    if (json_arg_string(args, "account", LEDGER_ACCOUNT_BYTES - 1, &walk.account, &why) ||
        control_arg_page(args, TRANSFERS_SHOWN, &walk.after, &limit, &why))
        return control_bad(call, &why);
    if (!ledger_account_exists(control_self->ledger, walk.account))
        return control_refuse(call, LEDGER_NOT_FOUND, walk.account);
    walk.limit = (int)limit + 1;
    page = (struct page){ .list = json_array(), .room = (int)limit };
    if (ledger_each_transfer(control_self->ledger, &walk, add_transfer, &page)) {
        json_decref(page.list);
        return control_failed(call);
    }
    *result = json_pack("{s:o, s:o}", "transfers", page.list, "next",
                        page.next ? json_integer((json_int_t)page.next) : json_null());
    return 0;
}

struct trial {
    json_t *rows;
    __int128 customers, orders;         /* one line each: how much we owe them all */
    __int128 debit, credit;
};

static json_t *decimal_wide(__int128 nano)
{
    return json_decimal_u128((unsigned __int128)nano);
}

static void add_line(struct trial *trial, const char *account, enum chart_kind kind, __int128 posted)
{
    __int128 debit = posted < 0 ? -posted : 0, credit = posted > 0 ? posted : 0;

    trial->debit += debit;
    trial->credit += credit;
    json_array_append_new(trial->rows,
                          json_pack("{s:s, s:s, s:o, s:o}", "account", account, "kind", chart_kind_name(kind),
                                    "debit_nano", decimal_wide(debit), "credit_nano", decimal_wide(credit)));
}

static int add_account(void *arg, const struct ledger_account *account)
{
    const struct chart_row *row = chart_find(account->id);
    struct trial *trial = arg;

    if (!row)
        return -1;
    if (account->owner[0])
        trial->orders += account->balance.posted_nano;
    else if (!account->overdraft)
        trial->customers += account->balance.posted_nano;
    else
        add_line(trial, account->id, row->kind, account->balance.posted_nano);
    return 0;
}

static int trial_balance(struct rpc_call *call, json_t *args, json_t **result)
{
    char differs[LEDGER_ACCOUNT_BYTES];
    struct trial trial = { .rows = json_array() };
    enum ledger_result audit = ledger_audit(control_self->ledger, differs);
    int64_t last_seq = ledger_last_seq(control_self->ledger);

    (void)args;
    if ((audit != LEDGER_OK && audit != LEDGER_CONFLICT) || last_seq < 0 ||
        ledger_each_account(control_self->ledger, NULL, "", -1, add_account, &trial)) {
        json_decref(trial.rows);
        return control_failed(call);
    }
    add_line(&trial, "customers", CHART_LIABILITY, trial.customers);
    add_line(&trial, "purchase orders", CHART_LIABILITY, trial.orders);
    *result = json_pack("{s:o, s:o, s:o, s:I, s:b, s:s?}", "accounts", trial.rows, "debit_nano",
                        decimal_wide(trial.debit), "credit_nano", decimal_wide(trial.credit), "last_seq",
                        (json_int_t)last_seq, "sound", audit == LEDGER_OK && trial.debit == trial.credit, "differs",
                        audit == LEDGER_CONFLICT ? differs : NULL);
    return 0;
}

/* Beside the bundles, where api's group may read. Written whole or not at all. */
static int write_journal(const char *account, const char *path)
{
    char fresh[576];
    FILE *out;
    int rc;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    out = fopen(fresh, "we");
    if (!out)
        return -1;
    rc = hledger_write(control_self->ledger, account, 0, out);
    if (fchmod(fileno(out), 0640) != 0)
        rc = -1;
    if (fclose(out) != 0 || rc || rename(fresh, path) != 0) {
        int saved = errno;

        unlink(fresh);
        errno = saved;
        return -1;
    }
    return 0;
}

static int ledger_journal(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account = NULL;
    char path[560];
    struct json_why why;

    if (json_has(args, "account_id") && control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    if (account && !ledger_account_exists(control_self->ledger, account))
        return control_refuse(call, LEDGER_NOT_FOUND, account);
    /* No account's name begins with a dot: this is not one's. */
    snprintf(path, sizeof(path), "%s/%s.journal", control_self->bundle_dir, account ? account : ".host");
    if (write_journal(account, path)) {
        log_warn("%s: the journal could not be written", path);
        return control_failed(call);
    }
    *result = json_pack("{s:s}", "path", path);
    return 0;
}

const struct rpc_verb control_book_verbs[] = {
    { "transfers", transfers, RPC_API },
    { "trial_balance", trial_balance, RPC_API },
    { "ledger_journal", ledger_journal, RPC_API },
    { NULL, NULL, 0 },
};
