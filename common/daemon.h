/* What every daemon does at its start: be the only one, become its user, say when it is ready. */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

/* Takes the lock of `pid_path` for the life of the process and writes the pid
 * into it. Exits 1 naming the other process if one holds it. */
void daemon_lock(const char *pid_path);

/* Becomes `user` with its primary group and no others, for good; exits 1 when
 * that fails. Does nothing if not started as root: then the caller's rights
 * are all it has. */
void daemon_drop(const char *user);

/* Starts libsodium; exits 1 if that fails. By itself it aborts without a word when it is called wrongly, or the system
 * gives no random bytes: from here on the log says so. */
void daemon_sodium_start(void);

/* True, and *uid and *gid set, if the user exists. */
bool daemon_user(const char *user, uid_t *uid, gid_t *gid);

/* mkdir -p of the last component with this mode and, when root, this owner. Exits 1 on failure. */
void daemon_mkdir(const char *path, mode_t mode, const char *user);

/* Sockets and maps are open, requests are answered: logs it and tells NOTIFY_SOCKET (sd_notify(3)). */
void daemon_ready(void);

/* A signalfd for SIGTERM and SIGINT, both blocked from now on; SIGPIPE and SIGXFSZ ignored. */
int daemon_signal_fd(void);

#endif
