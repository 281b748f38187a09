/* Which key is valid when, and keys.txt. Files are keys_file.c. */
#include "accountd/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const purposes[] = { [KEYS_LOG] = "log", [KEYS_INVOICE] = "invoice" };

const char *keys_purpose_name(enum keys_purpose purpose)
{
    return purposes[purpose];
}

bool keys_purpose_parse(const char *name, enum keys_purpose *purpose)
{
    *purpose = strcmp(name, purposes[KEYS_INVOICE]) == 0 ? KEYS_INVOICE : KEYS_LOG;
    return strcmp(name, purposes[*purpose]) == 0;
}

/* The spans of one purpose. */
struct ring {
    struct keys_span *spans;
    unsigned *count;
    struct note_key *newest;
};

static struct ring ring_of(struct keys *keys, enum keys_purpose purpose)
{
    return purpose == KEYS_LOG ? (struct ring){ keys->logs, &keys->logs_count, &keys->log }
                               : (struct ring){ keys->invoices, &keys->invoices_count, &keys->invoice };
}

static bool same_key(const struct note_key *a, const struct note_key *b)
{
    return memcmp(a->public_key, b->public_key, NOTE_PUBLIC_BYTES) == 0;
}

static int position(const struct ring *ring, const struct note_key *key)
{
    for (unsigned i = 0; i < *ring->count; i++)
        if (same_key(&ring->spans[i].key, key))
            return (int)i;
    return -1;
}

int keys_begin(struct keys *keys, enum keys_purpose purpose, const struct note_key *key)
{
    struct ring ring = ring_of(keys, purpose);
    int at = key ? position(&ring, key) : 0;

    if (at < 0 || *ring.count == 0)
        return -1;
    for (unsigned i = 0; i < *ring.count; i++)
        ring.spans[i].from = ring.spans[i].until = 0;
    ring.spans[at].until = KEYS_FOREVER;
    *ring.newest = ring.spans[at].key;
    return 0;
}

int keys_hand_over(struct keys *keys, enum keys_purpose purpose, const struct note_key *key, uint64_t from,
                   uint64_t until)
{
    struct ring ring = ring_of(keys, purpose);
    int at = position(&ring, key), last = position(&ring, ring.newest);

    /* One overlap at a time: the one before must have ended. */
    if (at <= last || last < 0 || until < from || from <= ring.spans[last].from)
        return -1;
    for (int i = 0; i < last; i++)
        if (ring.spans[i].until > from)
            return -1;
    ring.spans[last].until = until;
    ring.spans[at].from = from;
    ring.spans[at].until = KEYS_FOREVER;
    *ring.newest = ring.spans[at].key;
    return 0;
}

static bool valid_at(const struct keys_span *span, uint64_t size)
{
    return span->from <= size && size < span->until;
}

unsigned keys_find_log(const struct keys *keys, uint64_t size, const struct note_key *out[static KEYS_OVERLAP])
{
    unsigned count = 0;

    for (unsigned i = 0; i < keys->logs_count && count < KEYS_OVERLAP; i++)
        if (valid_at(&keys->logs[i], size))
            out[count++] = &keys->logs[i].key;
    return count;
}

const struct note_key *keys_find_invoice(const struct keys *keys, uint64_t size)
{
    for (unsigned i = keys->invoices_count; i > 0; i--)
        if (valid_at(&keys->invoices[i - 1], size))
            return &keys->invoices[i - 1].key;
    return NULL;
}

static void as_of(struct ring ring, uint64_t size)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < *ring.count; i++)
        if (ring.spans[i].from <= size && ring.spans[i].from < ring.spans[i].until)
            ring.spans[kept++] = ring.spans[i];
    *ring.count = kept;
    if (!kept)
        return;
    ring.spans[kept - 1].until = KEYS_FOREVER;
    *ring.newest = ring.spans[kept - 1].key;
}

void keys_as_of(const struct keys *keys, uint64_t size, struct keys *out)
{
    *out = *keys;
    as_of(ring_of(out, KEYS_LOG), size);
    as_of(ring_of(out, KEYS_INVOICE), size);
}

static unsigned in_use(const struct keys_span *spans, unsigned count)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++)
        n += spans[i].from < spans[i].until;
    return n;
}

/* A key on one line: a log key as in a note, an invoice key as minisign's second line. */
static char *key_line(enum keys_purpose purpose, const struct note_key *key, const char *origin)
{
    char *text = purpose == KEYS_LOG ? note_vkey(origin, key) : note_minisign_key(key);
    char *second = text && purpose == KEYS_INVOICE ? strchr(text, '\n') : NULL;

    if (second) {
        memmove(text, second + 1, strlen(second));
        text[strcspn(text, "\n")] = 0;
    }
    return text;
}

static void print_spans(FILE *out, const struct keys *keys, enum keys_purpose purpose, const char *origin)
{
    struct ring ring = ring_of((struct keys *)keys, purpose);

    for (unsigned i = 0; i < *ring.count; i++) {
        const struct keys_span *span = &ring.spans[i];
        char *line = span->from < span->until ? key_line(purpose, &span->key, origin) : NULL, until[24] = "-";

        if (span->until != KEYS_FOREVER)
            snprintf(until, sizeof(until), "%ju", (uintmax_t)span->until);
        if (line)
            fprintf(out, "%s %ju %s %s\n", purposes[purpose], (uintmax_t)span->from, until, line);
        free(line);
    }
}

char *keys_text(const struct keys *keys, const char *host, const char *origin)
{
    char *vkey = note_vkey(origin, &keys->log), *minisign = note_minisign_key(&keys->invoice), *text = NULL;
    size_t bytes;
    FILE *out = vkey && minisign ? open_memstream(&text, &bytes) : NULL;

    if (out) {
        fprintf(out,
                "# Public keys of %s: one key, one purpose.\n# log: signs checkpoints (C2SP signed note, Ed25519).\n"
                "%s\n",
                host, vkey);
        if (in_use(keys->logs, keys->logs_count) > 1 || in_use(keys->invoices, keys->invoices_count) > 1) {
            fputs("# all: purpose, valid from so many leaves, until so many (- still valid), key.\n", out);
            print_spans(out, keys, KEYS_LOG, origin);
            print_spans(out, keys, KEYS_INVOICE, origin);
        }
        fprintf(out, "# invoice: signs files (minisign and signify, Ed25519).\n%s", minisign);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(vkey);
    free(minisign);
    return text;
}

/* The line at *at, terminated, malloc'd; *at moves on. NULL at the end. */
static char *take_line(const char **at)
{
    size_t len = *at ? strcspn(*at, "\n") : 0;
    char *line;

    if (!*at || (*at)[len] != '\n')
        return NULL;
    line = strndup(*at, len);
    *at += len + 1;
    return line;
}

static bool parse_key(enum keys_purpose purpose, const char *text, const char *origin, struct note_key *key)
{
    char name[128], *file = NULL;
    uint8_t bytes[2 + NOTE_KEY_ID_BYTES + NOTE_PUBLIC_BYTES];
    bool good;

    if (purpose == KEYS_LOG)
        return note_vkey_parse(text, name, sizeof(name), key) && strcmp(name, origin) == 0;
    memset(key, 0, sizeof(*key));
    if (!note_unbase64(text, strlen(text), bytes, sizeof(bytes)))
        return false;
    memcpy(key->public_key, bytes + 2 + NOTE_KEY_ID_BYTES, NOTE_PUBLIC_BYTES);
    file = key_line(KEYS_INVOICE, key, origin);
    good = file && strcmp(file, text) == 0;
    free(file);
    return good;
}

/* "PURPOSE FROM UNTIL KEY". Spelling is checked by writing it again. */
static bool parse_span(const char *line, const char *origin, struct keys *keys)
{
    char name[8], until[24], key[200];
    enum keys_purpose purpose;
    uintmax_t from, to = KEYS_FOREVER;
    struct ring ring;

    if (sscanf(line, "%7s %ju %23s %199s", name, &from, until, key) != 4 || !keys_purpose_parse(name, &purpose) ||
        (strcmp(until, "-") != 0 && sscanf(until, "%ju", &to) != 1))
        return false;
    ring = ring_of(keys, purpose);
    if (*ring.count == KEYS_MAX || from >= to || !parse_key(purpose, key, origin, &ring.spans[*ring.count].key))
        return false;
    ring.spans[*ring.count].from = from;
    ring.spans[(*ring.count)++].until = to;
    return true;
}

/* Between the newest log key and the newest invoice key. */
static bool parse_spans(const char **at, const char *origin, struct keys *keys)
{
    bool good = true;

    if (strncmp(*at, "# all:", 6) != 0) {
        keys->logs[keys->logs_count++] = (struct keys_span){ keys->log, 0, KEYS_FOREVER };
        return true;
    }
    free(take_line(at));
    while (good && **at && **at != '#') {
        char *line = take_line(at);

        good = line && parse_span(line, origin, keys);
        free(line);
    }
    return good && keys->logs_count && keys->invoices_count;
}

bool keys_parse(const char *text, struct keys *keys, char *origin, size_t origin_bytes)
{
    const char *at = text;
    char *vkey, *host, *again;
    bool good;

    memset(keys, 0, sizeof(*keys));
    free(take_line(&at));
    free(take_line(&at));
    vkey = take_line(&at);
    good = vkey && note_vkey_parse(vkey, origin, origin_bytes, &keys->log) && parse_spans(&at, origin, keys);
    free(vkey);
    free(take_line(&at));
    if (!good || !note_minisign_key_parse(at, &keys->invoice))
        return false;
    if (keys->invoices_count == 0)
        keys->invoices[keys->invoices_count++] = (struct keys_span){ keys->invoice, 0, KEYS_FOREVER };
    host = strndup(origin, strcspn(origin, "/"));
    again = host ? keys_text(keys, host, origin) : NULL;
    good = again && strcmp(again, text) == 0 && same_key(&keys->log, &keys->logs[keys->logs_count - 1].key) &&
           same_key(&keys->invoice, &keys->invoices[keys->invoices_count - 1].key);
    free(host);
    free(again);
    return good;
}
