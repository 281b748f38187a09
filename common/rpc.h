/* Requests between the daemons: one JSON object a line, over a Unix stream socket.
 *
 * Request  {"id":7,"verb":"wallet","args":{...}}\n
 * Reply    {"id":7,"ok":{...}}\n  or  {"id":7,"error":{"code":"not_found","detail":"..."}}\n
 * Replies come in the order in which requests finish; the id matches them. A
 * line is at most RPC_LINE_MAX bytes; a longer one, or one that is not a JSON
 * object, closes the connection. 64-bit and wider quantities, and money, are
 * decimal strings; ids are strings; times are integers with their unit in the
 * name. Servers check the caller's uid (SO_PEERCRED) against the verb's row.
 *
 * Error codes shared by all: bad_request (names the argument), not_found,
 * conflict, forbidden, insufficient_funds (context needed_nano,
 * available_nano), quota_exceeded (context quota, limit, used),
 * capacity_unavailable, unavailable (the other daemon is down: try again, same
 * ids), internal.
 */
#ifndef COMMON_RPC_H
#define COMMON_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define RPC_LINE_MAX (1u << 20)

/* One row of a server's table. The handler returns 0 and sets *result (a new
 * reference), or -1 and has called rpc_fail(). `uids` names who may call. */
struct rpc_call;
struct rpc_verb {
    const char *name;
    int (*handle)(struct rpc_call *call, json_t *args, json_t **result);
    unsigned who;                   /* bits of enum rpc_who */
};
enum rpc_who { RPC_ROOT = 1, RPC_ACCOUNTD = 2, RPC_PROVISIONER = 4, RPC_API = 8, RPC_COSIGN = 16, RPC_WEBHOOK = 32 };

int rpc_fail(struct rpc_call *call, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));          /* always -1 */
int rpc_fail_context(struct rpc_call *call, const char *code, json_t *context, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));          /* steals context; always -1 */

/* Server: poll-driven, one thread; owns its connections. */
struct rpc_server;
struct rpc_server *rpc_server_new(const char *path, mode_t mode, const struct rpc_verb *verbs);
int rpc_server_fd(const struct rpc_server *server);     /* an epoll fd: readable when there is work */
void rpc_server_run(struct rpc_server *server);         /* handles what is ready, never blocks */
void rpc_server_free(struct rpc_server *server);

/* A handler that cannot answer at once keeps the call: it returns 0 with
 * *result == NULL after rpc_defer(), and ends it later with rpc_finish
 * (result or NULL + code). A caller who left makes the finish a no-op. */
struct rpc_call *rpc_defer(struct rpc_call *call);
void rpc_finish(struct rpc_call *call, json_t *result, const char *code, const char *detail);

/* Client: blocking, with a deadline. Returns the ok object (new reference) or
 * NULL with *error set (new reference: {"code","detail"[,"context"]}); a daemon
 * that cannot be reached is code "unavailable". */
struct rpc_client;
struct rpc_client *rpc_client_new(const char *path);    /* connects on first use, reconnects as needed */
json_t *rpc_call_sync(struct rpc_client *client, const char *verb, json_t *args /* stolen */,
                      int timeout_ms, json_t **error);
/* From now on a call is given up ("unavailable") as soon as this descriptor is readable. */
void rpc_client_stop_on(struct rpc_client *client, int fd);
void rpc_client_free(struct rpc_client *client);

#endif
