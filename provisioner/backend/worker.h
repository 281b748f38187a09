/* What the two backends have in common, and how they live.
 *
 * xs-devd (provisioner/devd/) is the only one that talks to xenstored about
 * devices. For each connection of a frontend it opens a metered channel
 * (xs/meter.h) and starts one worker, xs-blkback or xs-netback, with a socket as
 * its descriptor 3. A worker serves one connection of one device:
 *
 *   1. it reads its config, one message, from the socket;
 *   2. as root it opens all it will need: the ring pages (mapped grants), the
 *      event channels, its file or tap, its state file;
 *   3. worker_confine: its own user, no capabilities, no new privileges, a list of
 *      system calls. From here on nothing can be opened;
 *   4. it answers {"ready":true, ...} and serves until it is told to end.
 *
 * It ends with status
 *   0  after "stop", when what was in flight is answered; or at the socket's end
 *   3  the frontend broke the protocol; it has said how ({"broken":"..."}). The device
 *      is closed and stays so until the frontend begins anew
 *   1  it could not start ({"failed":"..."}) or something of ours failed; it is
 *      started again at once. More than 10 ends within 10 s, killed or not, close the device
 * and may be killed at any moment: devd starts another one with the same
 * config (a new token), which goes on from the state file.
 *
 * The state file, in /run/xs/dev, holds what must outlive a worker: which requests
 * are taken from the ring and not answered (their own copies: answers
 * overwrite the ring's), which packet is half delivered. It is locked by the
 * worker that lives. That lock falls when the process ends, which may be before
 * its last asynchronous write has: blkback therefore holds a lock on the disk's own
 * description too, which such a write keeps open. A worker trusts the state file no
 * more than the ring. devd removes it when the connection has ended in good order.
 *
 * Messages on the socket (SOCK_SEQPACKET, JSON objects):
 *   devd -> worker  config; {"stop":true}; {"resize":SECTORS} (blkback; answered {"resized":SECTORS}: only
 *                   then may the frontend hear of it)
 *   worker -> devd  {"ready":true[,"sectors":N,"sector_size":512]}; {"failed":TEXT}; {"broken":TEXT}
 *
 * config, both:   {"domid","device","channel","token":32 hex,"refs":[...] (vif: tx_refs, rx_refs),"port" (vif: tx_port,
 *                 rx_port; equal when not split),"uid","gid","state":PATH}
 *         vbd:    {"abi":"x86_64" or "x86_32" (PVH GRUB),"file":PATH,"readonly":bool,"discard":bool,"indirect":bool}
 *         vif:    {"tap":NAME,"bridge":NAME,"mac":"02:..","ipv4":["10.77.1.2"],"rx_notify","sg","gso4","gso6",
 *                 "csum_offload","multicast"}
 *                 (features as the frontend has asked for and we offer)
 */
#ifndef PROVISIONER_BACKEND_WORKER_H
#define PROVISIONER_BACKEND_WORKER_H

#include "provisioner/backend/meter.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define WORKER_SOCKET_FD 3

enum worker_status { WORKER_STOPPED = 0, WORKER_FAILED = 1, WORKER_BROKEN = 3 };

/* Reads the config; exits 1 when there is none within a second or it is not an object. */
json_t *worker_config(void);
/* The metered channel in it; exits 1 when it is not whole. */
void worker_meter(const json_t *config, struct meter *meter);

/* Maps ring pages that the frontend granted, writable. NULL with errno. The
 * device nodes are not needed any more afterwards and are closed by worker_confine. */
void *worker_map(uint32_t domid, const uint32_t *refs, unsigned count);
/* Binds the frontend's port; several may be bound. The local port, or -errno. */
int worker_bind(uint32_t domid, uint32_t remote_port);
int worker_event_fd(void);                      /* readable: a bound port has fired */
int worker_event_next(void);                    /* the local port that fired, unmasked again; -EAGAIN: none */
void worker_notify(int port);

/* The state file, `bytes` of shared memory, locked; zero when new. Waits until a
 * worker before us is gone for good. NULL with errno (EINVAL: another size). */
void *worker_state(const char *path, size_t bytes);

/* Own user; capabilities dropped; the calls in `allowed` (libseccomp names, ended by NULL) and what every
 * worker needs (read, write, recvfrom, sendto, notify on the event channel's descriptor, clock_gettime, plain
 * memory, exit_group); anything else kills the process. Exits 1 when it cannot. */
void worker_confine(uid_t uid, gid_t gid, const char *const *allowed);

void worker_say(json_t *message);               /* steals the reference */
/* devd's next message, or NULL when there is none now. At the socket's end the process ends with status 0: devd is
 * gone, or wants us gone, and the state file tells the next one all. */
json_t *worker_heard(void);
/* Says it, and ends the process. */
void worker_broken(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void worker_failed(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
