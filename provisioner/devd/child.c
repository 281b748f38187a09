#include "provisioner/devd/child.h"
#include "provisioner/backend/worker.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 4096

static _Noreturn void become(const char *program, int socket, pid_t parent)
{
    char *const argv[] = { (char *)program, NULL };
    sigset_t none;

    /* Should we die, so do they: the next of us starts its own from the state files. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
        _exit(WORKER_FAILED);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (socket == WORKER_SOCKET_FD)
        fcntl(socket, F_SETFD, 0);
    else
        dup2(socket, WORKER_SOCKET_FD);
    execvp(program, argv);
    log_warn("%s: not started", program);
    _exit(WORKER_FAILED);
}

int child_start(struct child *child, const char *program, const json_t *config)
{
    char *text = json_dumps(config, JSON_COMPACT);
    pid_t parent = getpid();
    int pair[2], rc = 0;

    if (!text)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        rc = -errno;
        goto free_text;
    }
    child->pid = fork();
    if (child->pid < 0) {
        rc = -errno;
        child->pid = 0;
        close(pair[0]);
        goto close_theirs;
    }
    if (child->pid == 0)
        become(program, pair[1], parent);
    child->socket = pair[0];
    if (send(child->socket, text, strlen(text), MSG_NOSIGNAL) < 0)
        log_warn("%s (process %d): config not sent", program, (int)child->pid);
close_theirs:
    close(pair[1]);
free_text:
    free(text);
    return rc;
}

void child_tell(const struct child *child, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);

    json_decref(message);
    if (!text)
        fatalx("out of memory");
    /* A worker that does not take its few messages is ended by the deadline. */
    (void)!send(child->socket, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    free(text);
}

json_t *child_heard(const struct child *child)
{
    char text[MESSAGE_BYTES_MAX];
    ssize_t bytes = recv(child->socket, text, sizeof(text), MSG_DONTWAIT);

    return bytes > 0 ? json_loadb(text, (size_t)bytes, 0, NULL) : NULL;
}

void child_kill(const struct child *child)
{
    kill(child->pid, SIGKILL);
}

void child_forget(struct child *child)
{
    close(child->socket);
    *child = (struct child){ 0 };
}
