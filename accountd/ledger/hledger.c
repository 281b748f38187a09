/* One pass over the entries. Each account is declared where it first appears,
 * and its sum is kept, to be asserted at the end. What records drew in a day
 * stays in a tree until the next day is booked. */
#include "accountd/ledger/hledger.h"
#include "accountd/ledger/chart.h"

#include <ctype.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_BYTES 160
#define DAY_MS     86400000

struct book {
    char name[NAME_BYTES];
    __int128 sum_nano;
};

/* What the records of a day drew from one account for another, booked on this day. */
struct drawn {
    int64_t day;                        /* the records' */
    char debit[LEDGER_ACCOUNT_BYTES], credit[LEDGER_ACCOUNT_BYTES], code[LEDGER_ID_BYTES];
    __int128 nano;
    uintmax_t entries;
};

struct journal {
    struct ledger *ledger;
    FILE *out;
    bool customers;                     /* whose side it is */
    void *books;                        /* a tree, by name */
    void *drawn;                        /* a tree, by accounts and code */
    bool failed;                        /* while the trees were walked */
    int64_t day;                        /* of the newest booking */
    bool any;
};

struct leg {
    const char *account;
    bool held;
    __int128 nano;                      /* credit positive, as in the ledger */
};

static int by_pair(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    int order = (x->day > y->day) - (x->day < y->day);

    if (order == 0)
        order = strcmp(x->debit, y->debit);
    if (order == 0)
        order = strcmp(x->credit, y->credit);
    return order ? order : strcmp(x->code, y->code);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct book *)a)->name, ((const struct book *)b)->name);
}

static void print_amount(FILE *out, __int128 nano)
{
    unsigned __int128 size = nano < 0 ? -(unsigned __int128)nano : (unsigned __int128)nano;

    fprintf(out, LEDGER_CURRENCY " %s%llu.%09u", nano < 0 ? "-" : "", (unsigned long long)(size / 1000000000),
            (unsigned)(size % 1000000000));
}

/* Words of people and machines, without what hledger would read as its own. */
static void print_words(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(isascii((unsigned char)*text) && (isalnum((unsigned char)*text) || strchr(" ._/+-", *text)) ? *text : '?',
              out);
}

static void print_day(FILE *out, int64_t day)
{
    time_t seconds = (time_t)(day * (DAY_MS / 1000));
    struct tm tm;

    gmtime_r(&seconds, &tm);
    fprintf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static int book_name(const struct journal *j, const struct leg *leg, char name[static NAME_BYTES])
{
    const struct chart_row *row = chart_find(leg->account);
    int len;

    if (!row)
        return -1;
    len = snprintf(name, NAME_BYTES, "%s%s%s", j->customers ? row->customer_name : row->host_name,
                   chart_suffix(row, leg->account), leg->held ? ":held" : "");
    return len < NAME_BYTES ? 0 : -1;
}

/* The account's book; a new one is declared. NULL when out of memory. */
static struct book *book_of(struct journal *j, const struct leg *leg)
{
    struct book *book = calloc(1, sizeof(*book)), **found;

    if (!book || book_name(j, leg, book->name) || !(found = tsearch(book, &j->books, by_name))) {
        free(book);
        return NULL;
    }
    if (*found == book)
        fprintf(j->out, "account %s\n", book->name);
    else
        free(book);
    return *found;
}

/* The booking day, and the entry's own if that is another. */
static void print_days(const struct journal *j, int64_t own)
{
    print_day(j->out, j->day);
    if (own == j->day)
        return;
    fputc('=', j->out);
    print_day(j->out, own);
}

static int find_books(struct journal *j, const struct leg *legs, int count, struct book **books)
{
    for (int i = 0; i < count; i++)
        if (!(books[i] = book_of(j, &legs[i])))
            return -1;
    return 0;
}

static void print_postings(struct journal *j, const struct leg *legs, int count, struct book **books)
{
    for (int i = 0; i < count; i++) {
        __int128 nano = j->customers ? legs[i].nano : -legs[i].nano;

        books[i]->sum_nano += nano;
        fprintf(j->out, "\n    %s  ", books[i]->name);
        print_amount(j->out, nano);
    }
    fputs("\n\n", j->out);
}

static int print_legs(struct journal *j, const struct ledger_transfer *t, const struct leg *legs, int count)
{
    struct book *books[3];

    /* Declarations cannot stand between a transaction's lines. */
    if (find_books(j, legs, count, books))
        return -1;
    print_days(j, t->at_ms / DAY_MS);
    fprintf(j->out, " * (%s) %s ", t->id, t->code);
    print_words(j->out, t->refers);
    fputs("  ; ", j->out);
    print_words(j->out, t->reason);
    print_postings(j, legs, count, books);
    return 0;
}

static void print_drawn(const void *node, VISIT visit, void *arg)
{
    const struct drawn *d = *(const struct drawn *const *)node;
    struct journal *j = arg;
    struct leg legs[] = { { d->debit, false, -d->nano }, { d->credit, false, d->nano } };
    struct book *books[2];

    if ((visit != postorder && visit != leaf) || j->failed)
        return;
    j->failed = find_books(j, legs, 2, books) != 0;
    if (j->failed)
        return;
    print_days(j, d->day);
    fprintf(j->out, " * %s  ; %ju entries", d->code, d->entries);
    print_postings(j, legs, 2, books);
}

/* The booking day is over. */
static int flush_drawn(struct journal *j)
{
    twalk_r(j->drawn, print_drawn, j);
    tdestroy(j->drawn, free);
    j->drawn = NULL;
    return j->failed ? -1 : 0;
}

static bool is_drawn(const struct ledger_transfer *t)
{
    return strcmp(t->kind, "posted") == 0 && (strcmp(t->code, "usage") == 0 || strcmp(t->code, "tax") == 0);
}

static int add_drawn(struct journal *j, const struct ledger_transfer *t)
{
    struct drawn *drawn = calloc(1, sizeof(*drawn)), **found;

    if (!drawn)
        return -1;
    drawn->day = t->at_ms / DAY_MS;
    snprintf(drawn->debit, sizeof(drawn->debit), "%s", t->debit);
    snprintf(drawn->credit, sizeof(drawn->credit), "%s", t->credit);
    snprintf(drawn->code, sizeof(drawn->code), "%s", t->code);
    found = tsearch(drawn, &j->drawn, by_pair);
    if (!found || *found != drawn)
        free(drawn);
    if (!found)
        return -1;
    (*found)->nano += t->amount_nano;
    (*found)->entries++;
    return 0;
}

static int keep_amount(void *arg, const struct ledger_transfer *hold)
{
    *(int64_t *)arg = hold->amount_nano;
    return 0;
}

static int print_transfer(void *arg, const struct ledger_transfer *t)
{
    struct journal *j = arg;
    int64_t nano = t->amount_nano, hold_nano = 0;

    if (!j->any || t->at_ms / DAY_MS > j->day) {
        if (flush_drawn(j))
            return -1;
        j->day = t->at_ms / DAY_MS;
    }
    j->any = true;
    if (is_drawn(t))
        return add_drawn(j, t);
    if (strcmp(t->kind, "posted") == 0)
        return print_legs(j, t, (struct leg[]){ { t->debit, false, -nano }, { t->credit, false, nano } }, 2);
    if (strcmp(t->kind, "pending") == 0)
        return print_legs(j, t, (struct leg[]){ { t->debit, false, -nano }, { t->debit, true, nano } }, 2);
    if (strcmp(t->kind, "void") == 0)
        return print_legs(j, t, (struct leg[]){ { t->debit, true, -nano }, { t->debit, false, nano } }, 2);
    if (ledger_transfer_get(j->ledger, t->pending_id, keep_amount, &hold_nano) != LEDGER_OK)
        return -1;
    return print_legs(j, t, (struct leg[]){ { t->debit, true, -hold_nano }, { t->credit, false, nano },
                                            { t->debit, false, hold_nano - nano } }, hold_nano > nano ? 3 : 2);
}

static void print_assertion(const void *node, VISIT visit, void *arg)
{
    const struct book *book = *(const struct book *const *)node;
    struct journal *j = arg;

    if (visit != postorder && visit != leaf)
        return;
    fprintf(j->out, "    %s  " LEDGER_CURRENCY " 0 = ", book->name);
    print_amount(j->out, book->sum_nano);
    fputc('\n', j->out);
}

int hledger_write(struct ledger *ledger, const char *account, int64_t to_seq, FILE *out)
{
    struct journal j = { .ledger = ledger, .out = out, .customers = account != NULL };
    struct ledger_walk walk = { .account = account, .purses = true, .upto = to_seq ? to_seq : ledger_last_seq(ledger),
                                .limit = -1 };
    int rc;

    if (walk.upto < 0)
        return -1;
    fprintf(out, "; %s%s, entries up to %jd\ncommodity " LEDGER_CURRENCY " 1.000000000\n\n",
            account ? "account " : "the host", account ? account : "", (intmax_t)walk.upto);
    rc = ledger_each_transfer(ledger, &walk, print_transfer, &j);
    if (rc == 0)
        rc = flush_drawn(&j);
    if (rc == 0 && j.any) {
        print_day(out, j.day);
        fputs(" * balances\n", out);
        twalk_r(j.books, print_assertion, &j);
    }
    tdestroy(j.drawn, free);
    tdestroy(j.books, free);
    return rc || ferror(out) ? -1 : 0;
}

char *hledger_journal(struct ledger *ledger, const char *account, int64_t to_seq)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int rc = out ? hledger_write(ledger, account, to_seq, out) : -1;

    if (out && fclose(out) == 0 && rc == 0)
        return text;
    free(text);
    return NULL;
}
