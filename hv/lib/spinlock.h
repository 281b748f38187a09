/* Ticket spinlocks. hv runs with interrupts off except at its one window (arch/irq.h), so no lock ever meets an
 * interrupt handler that wants it. The order in which locks nest is hv/LOCKING.md. */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "hv/lib/bug.h"

struct spinlock {
    uint16_t next, serving;
    uint32_t owner;                             /* CPU id + 1 while held; for spin_is_mine and assertions only */
};

/* The CPU's id: struct percpu in arch/percpu.h, which knows this offset. */
#define PERCPU_ID_OFFSET 8
static inline unsigned cpu_id(void)
{
    unsigned id;

    __asm__("mov %%gs:%c1, %0" : "=r"(id) : "i"(PERCPU_ID_OFFSET));
    return id;
}

static inline void spin_init(struct spinlock *lock)
{
    *lock = (struct spinlock){ 0, 0, 0 };
}

static inline bool spin_is_mine(const struct spinlock *lock)
{
    return READ_ONCE(lock->owner) == cpu_id() + 1;
}

static inline void spin_lock(struct spinlock *lock)
{
    uint16_t ticket;

    ASSERT(!spin_is_mine(lock));
    ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) /* pairs with the release in spin_unlock */
        __builtin_ia32_pause();
    WRITE_ONCE(lock->owner, cpu_id() + 1);
}

/* Takes the lock only if nobody has or wants it. */
static inline bool spin_try(struct spinlock *lock)
{
    uint16_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE);

    if (!__atomic_compare_exchange_n(&lock->next, &ticket, (uint16_t)(ticket + 1), false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return false;
    WRITE_ONCE(lock->owner, cpu_id() + 1);
    return true;
}

static inline void spin_unlock(struct spinlock *lock)
{
    ASSERT(spin_is_mine(lock));
    WRITE_ONCE(lock->owner, 0);
    __atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1), __ATOMIC_RELEASE);
}

/* Both locks, lower address first: the order for two locks of one kind. */
static inline void spin_lock_two(struct spinlock *a, struct spinlock *b)
{
    spin_lock(a < b ? a : b);
    if (a != b)
        spin_lock(a < b ? b : a);
}

static inline void spin_unlock_two(struct spinlock *a, struct spinlock *b)
{
    if (a != b)
        spin_unlock(b);
    spin_unlock(a);
}

#endif
