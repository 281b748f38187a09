/* A model of the hypervisor, xenstored and (for jobs.c) accountd behind
 * provisioner/xen.h and billing.h. It lives in a file that processes map, so
 * it goes on when the process that used it is killed, as the real ones do.
 *
 * Every verb of the seam is a call with a number. A call can be told to fail,
 * or the calling process to be killed just before or after its effect.
 */
#ifndef TESTS_PROVISIONER_WORLD_H
#define TESTS_PROVISIONER_WORLD_H

#include "provisioner/firewall.h"
#include "provisioner/layout.h"
#include "provisioner/network.h"
#include "provisioner/xen.h"

#include <pthread.h>

#define WORLD_DOMAINS   64
#define WORLD_RANGES    16
#define WORLD_SLOTS     96
#define WORLD_ENTRIES   64
#define WORLD_PAGES     (1u << 20)      /* 4 GiB */
#define WORLD_DEVICES   64
#define WORLD_PORTS     32
#define WORLD_NETWORKS  255
#define WORLD_FIREWALLS 4

struct world_range {
    uint64_t pfn, pages;
};

struct world_domain {
    bool used, dying, shutdown, cpu_set, mapped, introduced;
    unsigned reason, pauses;
    uint32_t domid, slot, ports;
    uint8_t uuid[16];
    uint64_t pages, pages_max;
    struct world_range range[WORLD_RANGES];
    unsigned nr_ranges;
    struct xen_domain_spec spec;
    struct xen_rings rings;
    uint64_t copied_bytes;
    uint8_t low[2][0x6000];             /* memory at 16 MiB and at 17 MiB, where sample.c's kernel goes */
    uint8_t info[LAYOUT_INFO_BYTES];    /* the last write of just this size: the start info */
    char store_name[64], store_uuid[40], asked[16];
    unsigned unread;                    /* console output; xenconsoled takes a byte after each look at it */
    char tty[64];                       /* what a test has made for its console; empty: none */
};

struct world_slot {
    bool used, final;
    uint32_t domid;
    uint8_t incarnation[16];
};

/* What accountd was told, by incarnation. */
struct world_entry {
    char instance_id[64], incarnation[40];
};

/* A device in xenstored, and what xs-devd and its guest make of it. */
struct world_device {
    bool used, read_only, online;
    struct xenstore_place at;
    char params[256], mac[18], ip[16], bridge[16], limit[64];
    unsigned state, resized;
    char error[64];
};

/* Enabled ones alone; ipv4 0: free. */
struct world_firewall {
    uint32_t ipv4;
    struct firewall rules;
};

struct world {
    pthread_mutex_t lock;
    uint64_t pages_free;
    uint8_t boot_id[16];
    struct world_domain domain[WORLD_DOMAINS];
    struct world_slot slot[WORLD_SLOTS];
    struct world_device device[WORLD_DEVICES];
    bool bridge[WORLD_NETWORKS];
    struct network_forward port[WORLD_PORTS];       /* host_port 0: free */
    struct world_firewall firewall[WORLD_FIREWALLS];
    uint32_t next_domid;
    uint64_t next_incarnation;
    struct world_entry registered[WORLD_ENTRIES];
    unsigned nr_registered;
    struct world_entry closed[WORLD_ENTRIES];
    unsigned nr_closed;
    char billing_code[32];              /* not empty: accountd refuses with it */

    /* Steering. */
    bool deaf, stubborn;                /* a guest takes no new disk; lets go of none */
    unsigned unheard;                   /* bytes of consoles that went with their domains */
    uint32_t guarded;                   /* a guest that nothing may lead to before its firewall is there; 0: none */
    char device_error[64];              /* not empty: xs-devd cannot serve any */
    unsigned calls;
    unsigned kill_at;                   /* number of the call; 0 never */
    bool kill_after;                    /* its effect */
    unsigned fail_at;
    int fail_errno;
    char fail_verb[32];                 /* every call of it fails */
    char broken[160];                   /* the first rule of the real thing that was broken */
};

/* Maps (and, the first time, makes) the file. Every process that links the
 * model uses the one of the environment's XS_WORLD. */
struct world *world_attach(const char *path);
struct world *world_here(void);         /* that one, for what has no handle */
struct world *world_new(const char *dir);      /* this process's and its children's, a file in dir */
void world_reset(struct world *w);
void world_lock(struct world *w);
void world_unlock(struct world *w);

/* Begins a call: 0 or the -errno it is to fail with; kills when told to. */
int world_enter(struct world *w, const char *verb);
int world_leave(struct world *w, int rc);
void world_broken(struct world *w, const char *rule);

/* Looks, without being a call. */
struct world_domain *world_find(struct world *w, const uint8_t uuid[16]);      /* not dying */
struct world_domain *world_domid(struct world *w, uint32_t domid);
unsigned world_alive(struct world *w);
struct world_device *world_device(struct world *w, uint32_t domid, enum xenstore_kind kind, uint32_t id);
struct world_firewall *world_firewall(struct world *w, uint32_t ipv4);         /* 0: a free place */
/* Devices, and ports that lead somewhere: what should be none when no guest is there. */
unsigned world_devices(struct world *w);

/* accountd was told; the same twice is once. */
void world_note(struct world_entry *entries, unsigned *count, const char *instance_id, const char *incarnation);

/* What a guest does by itself; the daemon is told through xenstored. */
void world_shutdown(struct world *w, struct world_domain *d, unsigned reason);
void world_event(void);

#endif
