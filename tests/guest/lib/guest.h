/* What the small kernels of tests/guest share: a console, checks in TAP, hypercalls,
 * and a way to survive an exception on purpose.
 *
 * A kernel defines guest_main(). It runs on one CPU, interrupts off, in long
 * mode, with the first 4 GiB mapped one to one. It works as dom0 of hv, alone
 * on the machine, and as a guest: the console is console_io there, the PV ring
 * here. When guest_main returns, the plan is printed and the domain powers off.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#define __XEN_TOOLS__ 1
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>

extern const struct hvm_start_info *guest_info;

void guest_main(void);

static inline bool guest_is_dom0(void)
{
    return guest_info->flags & SIF_INITDOMAIN;
}

/* Hypercalls: number and arguments as in xen/xen.h; negative errno, or the result. */
long hypercall(unsigned long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
#define HC0(n)              hypercall(n, 0, 0, 0, 0, 0)
#define HC1(n, a)           hypercall(n, (uint64_t)(a), 0, 0, 0, 0)
#define HC2(n, a, b)        hypercall(n, (uint64_t)(a), (uint64_t)(b), 0, 0, 0)
#define HC3(n, a, b, c)     hypercall(n, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0)

enum { EPERM = 1, ENOENT = 2, ESRCH = 3, EAGAIN = 11, EFAULT = 14, EBUSY = 16, EINVAL = 22, ENOSYS = 38 };

/* The console. `%s`, `%d`, `%u`, `%x` (64 bits, signed, unsigned, hexadecimal) and nothing else. */
void print(const char *format, ...);
/* The same into a buffer: cut to fit, ended by a NUL. Returns the buffer. */
char *format(char *to, size_t room, const char *format, ...);

/* One check, one line. */
void check(bool passed, const char *format, ...);
void check_equal(int64_t got, int64_t wanted, const char *name);

/* Runs function(argument); -1, or the vector of the exception that ended it. */
int try(void (*function)(void *), void *argument);
extern uint64_t try_error_code;

/* The domain's end; `reason` is SHUTDOWN_xxx of xen/sched.h. */
void shutdown(unsigned reason) __attribute__((noreturn));

/* A page that is nobody else's, zeroed; its address is its guest-physical address. */
void *page_alloc(void);
/* A guest-physical page number without RAM below 4 GiB, never given twice. */
uint64_t gfn_unused(void);

/* The shared info page, mapped on first use. */
struct shared_info *shared_info(void);

/* The hypervisor's clock by this CPU's vcpu_time_info. */
uint64_t clock_ns(unsigned vcpu);
uint64_t hvm_param(uint32_t index);     /* this domain's; 0: none */

uint64_t random_next(void);             /* a fixed sequence: failures repeat */

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

#endif
