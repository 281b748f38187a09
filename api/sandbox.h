/* The system calls that are left to a process which strangers talk to.
 *
 * Once it listens, the api opens files, talks to its peers and to sockets of this machine, and starts threads; so a
 * stranger who made it run code of his own can do no more. No call makes memory that can be run, no socket leaves the
 * machine, no other program starts. */
#ifndef API_SANDBOX_H
#define API_SANDBOX_H

/* Names of the calls that are allowed (some only with certain arguments, see sandbox.c); NULL at the end. */
extern const char *const sandbox_calls[];

/* All threads of the process from now on, for good. Starting a program, tracing and the like end the process (SIGSYS);
 * any other call that is not allowed fails with ENOSYS, as on a kernel that does not have it: libraries know what to
 * do then. Exits 1 if the kernel refuses. */
void sandbox_enter(void);

#endif
