/* Stand-ins for accountd and the provisioner: a process of its own that speaks
 * common/rpc.h on their sockets and keeps small exact models in memory. The
 * test steers it through one more verb, "test", on each socket:
 *
 *     {"hold": bool}           jobs stay running until let go
 *     {"fail": code}           the next changing verb is refused with this code, undone
 *     {"fail_job": code}       the next job that ends, fails with this code
 *     {"lose": true}           the next changing verb is done, and answered "unavailable"
 *     {"alert": {...}}         accountd raises it: account_id, kind, subject, detail
 *     {"deposit": {...}}       money arrives: account_id, transfer_id, currency, amount_nano, code
 *     {"port": n}              the next forward is this port of the host
 *     {}                       -> {counts: {verb: how many times it had an effect}}
 */
#ifndef TESTS_API_STANDIN_H
#define TESTS_API_STANDIN_H

#include <sys/types.h>

/* Both sockets in `dir` (accountd.sock, provisioner.sock) accept when it returns. */
pid_t standin_start(const char *dir);

#endif
