/* hv's memory, domains, events, grants and meter as they are, on a machine that is a piece of this process: the direct
 * map is an arena of WHOLE_FRAMES frames, one CPU whose GS base points to its percpu struct, a dom0 with DOM0_FRAMES of
 * RAM mapped by identity. Guests run with paging off, so their addresses are guest-physical. Pretended are only the
 * processor's virtualisation, the scheduler and the console (whole.c). */
#ifndef TESTS_HV_WHOLE_H
#define TESTS_HV_WHOLE_H

#include "hv/arch/vcpu.h"
#include "hv/domain/domain.h"
#include "hv/domctl/create.h"
#include "hv/domctl/domctl.h"
#include "hv/mm/page.h"
#include <xen/memory.h>

#define WHOLE_FRAMES 16384u
#define DOM0_FRAMES    1024u

/* Where guests keep what they pass to hypercalls: one page of argument, then room for arrays. */
#define ARG_GPA   0x10000ull
#define ARRAY_GPA 0x20000ull
#define ARRAY_MAX 0x8000u

void whole_start(void);
/* This thread is CPU `id` from now on; cpus_online is the caller's to set. */
void whole_be_cpu(unsigned id);

/* Knobs. */
extern unsigned whole_preempt_every;  /* hypercall_preempt() is true each n-th time; 0: never */
extern unsigned whole_fail_alloc;     /* the n-th page_alloc_hv from now fails; 0: none */
extern __thread uint64_t whole_arg_gpa; /* where the calls below put their argument; ARG_GPA */
extern unsigned whole_restarts;       /* hypercalls that restarted, counted */
extern unsigned whole_returns;        /* and those that came back with EAGAIN to be called again */
extern struct vcpu_paging whole_paging; /* of all vCPUs; levels 0: none */
extern char whole_console[512];       /* the last line printed */

/* The domain whose vCPU 0 issues hypercalls from here on. */
void whole_as(struct domain *d);
/* The same between other threads: true unless d is paused, and nobody's pause ends before whole_leave. */
bool whole_enter(struct domain *d);
void whole_leave(void);
/* Host address of a guest-physical one; NULL if nothing is there. */
void *whole_at(struct domain *d, uint64_t gpa);

/* Hypercalls of the current domain, restarted until they end, then domain_reap as the dispatcher does. The argument
 * struct travels through the guest's memory both ways. */
long call_domctl(struct xen_domctl *op);
long call_sysctl(struct xen_sysctl *op);
long call_memory(unsigned cmd, void *arg, size_t bytes);
long call_1(long (*hypercall)(unsigned, uint64_t), unsigned cmd, void *arg, size_t bytes);

/* domctl with just a target. */
long call_domctl_on(domid_t id, uint32_t cmd);
/* createdomain as a toolstack says it, pages_max set; -Exxx or the id. */
long guest_create(domid_t id, unsigned nr_vcpus, uint64_t pages_max);
/* populate_physmap by dom0, order 0, GFNs first.. : the result. */
long guest_populate(domid_t id, uint64_t first, unsigned count);

/* Everything that hv counts; equal before and after means that nothing leaked. */
struct counts {
    uint64_t pages_free, pages_hv;
    uint64_t dom0_pages, dom0_refs, dom0_foreign, dom0_ports, dom0_maps;
    unsigned domains, slots;
};
struct counts counts_now(void);         /* acknowledges all tombstones first; one CPU alone */
bool counts_equal(struct counts before, struct counts after);  /* names what differs */
void whole_acknowledge(void);

#endif
