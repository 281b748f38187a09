/* The software walk of a guest's page tables: every combination of P, W, U at every level against the processor's
 * rules, A and D, pages of all sizes, and what is remembered from one copy to the next within an exit. */
#include <string.h>

#include "tests/hv/harness.h"
#include "tests/hv/whole.h"
#include "hv/arch/percpu.h"
#include "hv/mm/guestcopy.h"

#define P 1u
#define W 2u
#define U 4u
#define A 0x20u
#define D 0x40u
#define PS 0x80u

#define ROOT 0x100000ull                /* four tables from here on, one for each level */
#define PAGE 0x110000ull
#define OTHER 0x111000ull
#define VA   0x00007F8123456000ull

static void exit_begins(void)
{
    this_cpu()->walks = 0;
}

static uint64_t *entry64(unsigned level, unsigned levels, uint64_t va)
{
    uint64_t *table = whole_at(dom0, ROOT + (levels - 1 - level) * PAGE_SIZE);
    unsigned bits = levels == 3 && level == 2 ? 3 : 511;

    return &table[va >> (12 + 9 * level) & bits];
}

/* Tables for one page of VA with these rights at each level, from the leaf up. */
static void map64(unsigned levels, uint64_t va, uint64_t gpa, const unsigned *rights)
{
    memset(whole_at(dom0, ROOT), 0, 4 * PAGE_SIZE);
    for (unsigned l = 0; l < levels; l++) {
        uint64_t next = l ? ROOT + (levels - l) * PAGE_SIZE : gpa;

        *entry64(l, levels, va) = next | rights[l];
    }
    exit_begins();
}

static bool readable(uint64_t va)
{
    char byte;

    exit_begins();
    return copy_from_guest(&byte, va, 1) == 0;
}

static bool writable(uint64_t va)
{
    exit_begins();
    return copy_to_guest(va, "x", 1) == 0;
}

static void test_rights(unsigned levels, uint64_t va)
{
    unsigned wrong = 0, tried = 0;

    for (unsigned all = 0; all < 1u << 3 * levels; all++) {
        unsigned r[4], present = P, write = W, user_bit = U;

        for (unsigned l = 0; l < levels; l++) {
            bool pdpte = levels == 3 && l == 2;

            r[l] = all >> 3 * l & 7;
            present &= r[l];
            write &= pdpte ? W : r[l];
            user_bit &= pdpte ? U : r[l];
        }
        for (unsigned user = 0; user < 2; user++) {
            bool reads = present && (!user || user_bit);

            whole_paging = (struct vcpu_paging){ user, levels, ROOT };
            map64(levels, va, PAGE, r);
            wrong += readable(va) != reads;
            map64(levels, va, PAGE, r);
            wrong += writable(va) != (reads && write);
            tried++;
        }
    }
    is(wrong, 0, "%u levels: %u combinations of rights, read and written, as kernel and as user", levels, tried);
}

static void test_marks(void)
{
    static const unsigned all[4] = { P | W | U, P | W | U, P | W | U, P | W | U };
    bool good = true;

    whole_paging = (struct vcpu_paging){ false, 4, ROOT };
    map64(4, VA, PAGE, all);
    ok(readable(VA), "a page is read");
    for (unsigned l = 0; l < 4; l++)
        good &= (*entry64(l, 4, VA) & (A | D)) == A;
    ok(good, "all levels are accessed now, none dirty");
    ok(writable(VA), "it is written");
    is(*entry64(0, 4, VA) & (A | D), A | D, "the leaf is dirty");
    is(*entry64(1, 4, VA) & D, 0, "the table above is not");
}

static void test_sizes(void)
{
    static const unsigned all[4] = { P | W, P | W, P | W, P | W };
    uint64_t va = VA & ~0x3FFFFFFFull;

    whole_paging = (struct vcpu_paging){ false, 4, ROOT };
    map64(4, va, PAGE, all);
    *entry64(1, 4, va) = P | W | PS;
    strcpy(whole_at(dom0, OTHER + 5), "two megabytes");
    char text[16];

    exit_begins();
    ok(!copy_from_guest(text, va + OTHER + 5, 14) && !strcmp(text, "two megabytes"), "a page of 2 MiB");
    map64(4, va, PAGE, all);
    *entry64(2, 4, va) = P | W | PS;
    exit_begins();
    ok(!copy_from_guest(text, va + OTHER + 5, 14) && !strcmp(text, "two megabytes"), "a page of 1 GiB");
    map64(4, va, PAGE, all);
    *entry64(3, 4, va) |= PS;
    ok(readable(va), "the top level knows no large pages");
    ok(!readable(1ull << 47), "an address that is not canonical");
    ok(!readable(~0ull << 47 | 1ull << 50), "nor one above");
}

static void test_two_levels(void)
{
    uint32_t *top = whole_at(dom0, ROOT), *leaf = whole_at(dom0, ROOT + PAGE_SIZE);
    uint64_t va = 0x81234000;

    memset(top, 0, 2 * PAGE_SIZE);
    whole_paging = (struct vcpu_paging){ true, 2, ROOT };
    top[va >> 22] = (uint32_t)(ROOT + PAGE_SIZE) | P | W | U;
    leaf[va >> 12 & 1023] = (uint32_t)PAGE | P | U;
    ok(readable(va) && !writable(va), "two levels: read-only is read");
    leaf[va >> 12 & 1023] |= W;
    ok(writable(va), "writable is written");
    is(leaf[va >> 12 & 1023] & (A | D), A | D, "and marked");
    ok(!readable(va + 0x400000), "the next 4 MiB are not there");
    top[va >> 22] = P | W | U | PS;
    ok(readable(va), "4 MiB in one");
}

static void test_remembered(void)
{
    static const unsigned read_only[4] = { P, P | W, P | W, P | W }, all[4] = { P | W, P | W, P | W, P | W };
    char byte;

    whole_paging = (struct vcpu_paging){ false, 4, ROOT };
    map64(4, VA, PAGE, read_only);
    *(char *)whole_at(dom0, PAGE) = 1;
    *(char *)whole_at(dom0, OTHER) = 2;
    ok(!copy_from_guest(&byte, VA, 1) && byte == 1, "a page is read");
    is(copy_to_guest(VA, "x", 1), -EFAULT, "having been read gives no right to write");
    *entry64(0, 4, VA) = OTHER | P | W;
    ok(!copy_from_guest(&byte, VA, 1) && byte == 1, "within an exit the translation stays, as in a TLB");
    exit_begins();
    ok(!copy_from_guest(&byte, VA, 1) && byte == 2, "with the next it is new");
    map64(4, VA, PAGE, all);
    ok(!copy_from_guest(&byte, VA, 1) && !(*entry64(0, 4, VA) & D), "read, and not dirty");
    ok(!copy_to_guest(VA, "x", 1) && *entry64(0, 4, VA) & D, "the write that follows marks it dirty");
    map64(4, VA, PAGE, all);
    is(copy_from_guest(&byte, VA + 4 * PAGE_SIZE, 1), -EFAULT, "an address that shares its place, and is not there");
    ok(!copy_from_guest(&byte, VA, 1) && byte == 'x', "spoils nothing");
}

/* The upper levels of a GiB are remembered with their rights. */
static void test_remembered_gib(void)
{
    static const unsigned all[4] = { P | W, P | W, P | W, P | W }, upper_read_only[4] = { P | W, P | W, P, P | W };
    uint64_t next = VA + PAGE_SIZE, table_entry;
    char byte;

    whole_paging = (struct vcpu_paging){ false, 4, ROOT };
    map64(4, VA, PAGE, all);
    *entry64(0, 4, next) = OTHER | P | W;
    table_entry = *entry64(3, 4, VA);
    ok(!copy_from_guest(&byte, VA, 1), "a page is read");
    *entry64(3, 4, VA) = 0;
    ok(!copy_to_guest(next, "y", 1) && *(char *)whole_at(dom0, OTHER) == 'y', "the next is written by what is remembered");
    is(*entry64(0, 4, next) & (A | D), A | D, "and marked itself");
    is(copy_from_guest(&byte, VA + (1ull << 30), 1), -EFAULT, "another GiB is walked from the top");
    *entry64(3, 4, VA) = table_entry;
    map64(4, VA, PAGE, upper_read_only);
    *entry64(0, 4, next) = OTHER | P | W;
    ok(!copy_from_guest(&byte, VA, 1), "a page below an entry that is read-only is read");
    is(copy_to_guest(next, "z", 1), -EFAULT, "its neighbour is not written");
}

static void test_holes(void)
{
    static const unsigned all[4] = { P | W, P | W, P | W, P | W };

    whole_paging = (struct vcpu_paging){ false, 4, ROOT };
    map64(4, VA, (uint64_t)DOM0_FRAMES << PAGE_SHIFT, all);
    ok(!readable(VA), "a page where no memory is");
    map64(4, VA, PAGE, all);
    *entry64(1, 4, VA) = (uint64_t)DOM0_FRAMES << PAGE_SHIFT | P | W;
    ok(!readable(VA), "a table where no memory is");
    *entry64(1, 4, VA) = 0xFFFFFFFFF000ull | P | W;
    ok(!readable(VA), "a table beyond all memory");
    whole_paging.root = 0xFFFFFFFFFF000ull;
    ok(!readable(VA), "a root beyond all memory");
}

int main(void)
{
    whole_start();
    test_rights(4, VA);
    test_rights(4, ~0ull << 47 | (VA & 0x7FFFFFFFF000ull));
    test_rights(3, 0xC1234000);
    test_marks();
    test_sizes();
    test_two_levels();
    test_remembered();
    test_remembered_gib();
    test_holes();
    return tap_end();
}
