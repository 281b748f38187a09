/* A list of what is allowed, and of what no honest program of ours ever tries. */
#include "api/sandbox.h"
#include "common/log.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* clang-format off */
const char *const sandbox_calls[] = {
    /* connections */
    "accept4", "recvfrom", "recvmsg", "sendmsg", "sendto", "shutdown", "getsockname", "getsockopt", "setsockopt",
    "poll", "epoll_create1", "epoll_ctl", "epoll_wait", "eventfd2", "connect", "socketpair",
    /* files: the database and its log, what accountd and the pages' folder hold */
    "openat", "close", "read", "write", "writev", "pread64", "pwrite64", "lseek", "fstat", "newfstatat", "statx", "access", "fcntl", "ftruncate",
    "fsync", "fdatasync", "unlink", "fchown", "fchmod", "getdents64",
    /* threads, memory, time: not every clock can be read without a call, a guest of a hypervisor has others */
    "futex", "set_robust_list", "rseq", "exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "tgkill",
    "getpid", "gettid", "geteuid", "munmap", "mremap", "madvise", "brk", "clock_gettime", "clock_nanosleep",
    "restart_syscall", "getrandom",
    /* these with the arguments below */
    "mmap", "mprotect", "socket", "clone",
    NULL
};

static const char *const conditional[] = { "mmap", "mprotect", "socket", "clone", NULL };

/* Whoever tries one of these is not us. */
static const char *const hostile[] = {
    "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "bpf", "mount", "init_module", "finit_module",
    "kexec_load", "userfaultfd", "keyctl", "setns", "unshare", "chroot", "pivot_root", "setuid", "setresuid", "setgid", "setresgid",
    NULL
};

/* A sanitizer's runtime looks for leaks when the process ends, by a thread of its own that traces the others. */
#ifdef __SANITIZE_ADDRESS__
static const char *const instruments[] = { "ptrace", "prctl", "prlimit64", "sched_getaffinity", "sched_yield", "sigaltstack", "dup",
                                           "getppid", "wait4", "pipe2", "open", "stat", "getrlimit", "gettimeofday", "capget", "arch_prctl",
                                           "getdents", "tkill", "kill", "readlinkat", NULL };
#else
static const char *const instruments[] = { NULL };
#endif
/* clang-format on */

static bool is_in(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
    int rc = 0;

    for (; *names && rc == 0; names++)
        if (!is_in(conditional, *names))
            rc = seccomp_rule_add(filter, action, seccomp_syscall_resolve_name(*names), 0);
    return rc;
}

/* The bits of one argument must be these. */
static int allow_if(scmp_filter_ctx filter, int call, unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

/* No memory that can be run, no socket that leaves this machine, threads but no processes: clone3's flags could not be
 * looked at, so it does not exist, and the C library takes clone. */
static int add_conditional(scmp_filter_ctx filter)
{
    int rc = allow_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);

    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(socket), 0, ~(scmp_datum_t)0, AF_UNIX);
#ifdef __SANITIZE_ADDRESS__
    if (rc == 0)
        rc = add_all(filter, SCMP_ACT_ALLOW, instruments);
    return rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0);
#else
    return rc ? rc : allow_if(filter, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
#endif
}

static int add_hostile(scmp_filter_ctx filter)
{
    int rc = 0;

    for (const char *const *name = hostile; *name && rc == 0; name++)
        if (!is_in(instruments, *name))
            rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, seccomp_syscall_resolve_name(*name), 0);
    return rc;
}

void sandbox_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int rc = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

    if (rc == 0)
        rc = add_all(filter, SCMP_ACT_ALLOW, sandbox_calls);
    if (rc == 0)
        rc = add_conditional(filter);
    if (rc == 0)
        rc = add_hostile(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (rc)
        fatalx("the system call filter was refused: %s", strerror(-rc));
}
