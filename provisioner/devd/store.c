#include "provisioner/devd/store.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define PATH_BYTES 160

static struct xs_handle *xs;

void store_open(void)
{
    xs = xs_open(0);
    if (!xs)
        fatal("xenstored does not answer: start xenstored first");
}

int store_fd(void)
{
    return xs_fileno(xs);
}

static void path_of(char path[static PATH_BYTES], const char *directory, const char *node)
{
    snprintf(path, PATH_BYTES, "%s/%s", directory, node);
}

char *store_read(const char *directory, const char *node)
{
    char path[PATH_BYTES];

    path_of(path, directory, node);
    return xs_read(xs, XBT_NULL, path, NULL);
}

static bool nodes_write(xs_transaction_t transaction, const char *directory, json_t *nodes)
{
    char path[PATH_BYTES];
    const char *name;
    json_t *value;

    json_object_foreach(nodes, name, value) {
        path_of(path, directory, name);
        if (!xs_write(xs, transaction, path, json_string_value(value), (unsigned)json_string_length(value)))
            return false;
    }
    return true;
}

/* One transaction with the look: a removal in between would leave a directory of nothing but our nodes. */
void store_write(const char *directory, json_t *nodes)
{
    char state[PATH_BYTES];
    bool there, written;

    path_of(state, directory, "state");
    do {
        xs_transaction_t transaction = xs_transaction_start(xs);
        char *now = xs_read(xs, transaction, state, NULL);

        there = now;
        free(now);
        written = there && nodes_write(transaction, directory, nodes);
        if (xs_transaction_end(xs, transaction, !written))
            break;
        written = false;
    } while (errno == EAGAIN);
    if (there && !written)
        log_warn("xenstore: %s: not written", directory);
    json_decref(nodes);
}

void store_remove(const char *directory, const char *node)
{
    char path[PATH_BYTES];

    path_of(path, directory, node);
    xs_rm(xs, XBT_NULL, path);
}

char **store_list(const char *path, unsigned *count)
{
    return xs_directory(xs, XBT_NULL, path, count);
}

void store_watch(const char *path, const char *token)
{
    if (!xs_watch(xs, path, token))
        log_warn("xenstore: no watch on %s", path);
}

void store_unwatch(const char *path, const char *token)
{
    xs_unwatch(xs, path, token);
}

bool store_event(char **path, char **token)
{
    char **event = xs_check_watch(xs);
    size_t path_bytes, token_bytes;

    if (!event)
        return false;
    path_bytes = strlen(event[XS_WATCH_PATH]) + 1;
    token_bytes = strlen(event[XS_WATCH_TOKEN]) + 1;
    *path = malloc(path_bytes + token_bytes);
    if (!*path)
        fatalx("out of memory");
    *token = *path + path_bytes;
    memcpy(*path, event[XS_WATCH_PATH], path_bytes);
    memcpy(*token, event[XS_WATCH_TOKEN], token_bytes);
    free(event);
    return true;
}
