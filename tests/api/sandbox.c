/* The system call filter, tripped: each thing is tried by a process that has entered it. */
#include "api/sandbox.h"
#include "common/log.h"
#include "tests/api/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The exit status of a process in the sandbox that did this, or minus the signal that ended it. */
static int in_sandbox(int (*tried)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        sandbox_enter();
        _exit(tried());
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        fatal("fork");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int missing(long rc)
{
    return rc == -1 && errno == ENOSYS ? 0 : 1;
}

static int opens_file(void)
{
    return open("/etc/hostname", O_RDONLY | O_CLOEXEC) < 0;
}

static void *say_done(void *arg)
{
    *(int *)arg = 0;
    return NULL;
}

static int starts_thread(void)
{
    int rc = 1;
    pthread_t thread;

    return pthread_create(&thread, NULL, say_done, &rc) || pthread_join(thread, NULL) || rc;
}

static int talks_to_daemon(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0;
}

/* As a call: libc's own way round it depends on the machine's clock. */
static int reads_clock(void)
{
    struct timespec now;

    return (int)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
}

static int leaves_machine(void)
{
    return missing(socket(AF_INET, SOCK_STREAM, 0));
}

static int runs_memory(void)
{
    return missing((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int makes_memory_run(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED || missing(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}

static int listens_elsewhere(void)
{
    return missing(syscall(SYS_bind, 0, NULL, 0));
}

static int starts_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static int traces(void)
{
    return (int)syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0);
}

static int makes_namespace(void)
{
    return unshare(CLONE_NEWUSER);
}

static int becomes_root(void)
{
    return (int)syscall(SYS_setresuid, 0, 0, 0);
}

static const struct { int (*tried)(void); int want; const char *what; } trials[] = {
    { opens_file, 0, "a file can be opened" },
    { starts_thread, 0, "a thread can be started" },
    { talks_to_daemon, 0, "a daemon of this machine can be asked" },
    { reads_clock, 0, "the clock can be read" },
    { leaves_machine, 0, "there are no sockets to elsewhere" },
    { listens_elsewhere, 0, "nor another port to listen on" },
    { runs_memory, 0, "there is no memory that can be written and run" },
    { makes_memory_run, 0, "and none becomes so" },
    { starts_program, -SIGSYS, "who starts a program is ended" },
    { traces, -SIGSYS, "who reads another process is ended" },
    { makes_namespace, -SIGSYS, "who makes a namespace is ended" },
    { becomes_root, -SIGSYS, "who changes its user is ended" },
};

int main(void)
{
    unsigned count = 0;

    log_init("sandbox");
    while (sandbox_calls[count])
        count++;
    ok(count > 20 && count <= 60, "%u system calls are left, of 60 that may be", count);
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
        ok_int(in_sandbox(trials[i].tried), trials[i].want, trials[i].what);
    return tap_end();
}
