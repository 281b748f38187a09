/* A pretend machine under the real .c files of hv: frames of RAM at DIRECTMAP_BASE, domains with a flat p2m, guest
 * memory for hypercall arguments, and a CPU for each thread (GS as on the real one). It checks the rules that the
 * headers state: references and their owners, p2m_sync between taking an entry out and letting its frame go. */
#ifndef TESTS_HV_MACHINE_H
#define TESTS_HV_MACHINE_H

#include "hv/domain/domain.h"
#include "hv/arch/percpu.h"

#define FRAMES       8192u
#define GFNS         512u               /* of each domain; the lower half is RAM when it is made */
#define RAM_GFNS     256u
#define GUEST_BYTES  65536u             /* hypercall arguments: guest-virtual 0 up to here; beyond: -EFAULT */

struct pretend {
    struct domain d;
    struct vcpu vcpus[VCPUS_MAX];
    struct p2m_entry map[GFNS];
    unsigned kicks[VCPUS_MAX], wakes[VCPUS_MAX];
};

extern uint8_t *guest_bytes;            /* GUEST_BYTES of them */
extern bool guest_unwritable;           /* copy_to_guest fails */
extern unsigned preempt_after;          /* hypercall_preempt says yes at every so manieth call; 0: never */
extern uint64_t hypercall_args[6];      /* as vcpu_hypercall_set_arg left them */
extern unsigned p2m_syncs;

void machine_init(void);
/* This thread is that CPU from now on. */
void machine_be_cpu(unsigned id);
/* Every later allocation of hv's but the first n fails; ~0u: none does. */
void machine_fail_after(unsigned n);
unsigned machine_frames_used(void);
uint64_t machine_owned(const struct domain *d);     /* frames that are d's */
uint32_t machine_refs(mfn_t mfn);

/* A domain with RAM_GFNS frames of RAM, shared_info and vCPUs; modules are not initialised. */
struct domain *machine_domain(domid_t id, unsigned nr_vcpus);
/* Drops the reference for being alive after taking the RAM away. The struct is freed with its last reference, by
 * machine_reap; until then domain_get does not find it. */
void machine_kill(struct domain *d);
/* Frees domains without references: calls `free_modules` on each. How many. */
unsigned machine_reap(void (*free_modules)(struct domain *d));
void machine_run(struct domain *d);                 /* its vCPU 0 is the current one */
struct pretend *pretend_of(const struct domain *d);
mfn_t machine_mfn(const struct domain *d, unsigned gfn);

#endif
