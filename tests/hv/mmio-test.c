/* The decoder of one MOV: real encodings with what they mean, and every start of four bytes in each mode, cut at each
 * length, on a buffer that ends where the bytes do (ASan sees a read past it). */
#include <string.h>

#include "tests/hv/harness.h"
#include "hv/arch/svm/svm.h"

struct encoding {
    const char *text;
    uint8_t bytes[12];
    unsigned length;
    bool write, with_imm, sign_extend, high_byte;
    unsigned width, reg_bytes, reg;
    uint64_t imm;
};

static const struct encoding encodings[] = {
    { "mov %eax, (%rdi)", { 0x89, 0x07 }, 2, .write = true, .width = 4, .reg_bytes = 4, .reg = 0 },
    { "mov (%rsi), %ecx", { 0x8b, 0x0e }, 2, .width = 4, .reg_bytes = 4, .reg = 1 },
    { "mov %rax, (%rdi)", { 0x48, 0x89, 0x07 }, 3, .write = true, .width = 8, .reg_bytes = 8, .reg = 0 },
    { "mov %r9d, 0x10(%rax)", { 0x44, 0x89, 0x48, 0x10 }, 4, .write = true, .width = 4, .reg_bytes = 4, .reg = 9 },
    { "mov 0x1234(%rip), %edx", { 0x8b, 0x15, 0x34, 0x12, 0, 0 }, 6, .width = 4, .reg_bytes = 4, .reg = 2 },
    { "mov (%rax,%rcx,4), %r10", { 0x4c, 0x8b, 0x14, 0x88 }, 4, .width = 8, .reg_bytes = 8, .reg = 10 },
    { "mov 0x7fffffff, %eax (SIB, no base)", { 0x8b, 0x04, 0x25, 0xff, 0xff, 0xff, 0x7f }, 7, .width = 4, .reg_bytes = 4 },
    { "mov %ax, (%rdi)", { 0x66, 0x89, 0x07 }, 3, .write = true, .width = 2, .reg_bytes = 2, .reg = 0 },
    { "mov %ah, (%rdi)", { 0x88, 0x27 }, 2, .write = true, .high_byte = true, .width = 1, .reg_bytes = 1, .reg = 0 },
    { "mov %spl, (%rdi)", { 0x40, 0x88, 0x27 }, 3, .write = true, .width = 1, .reg_bytes = 1, .reg = 4 },
    { "movl $0x11223344, (%rdi)", { 0xc7, 0x07, 0x44, 0x33, 0x22, 0x11 }, 6, .write = true, .with_imm = true, .width = 4,
      .reg_bytes = 4, .imm = 0x11223344 },
    { "movq $-1, 8(%rdi)", { 0x48, 0xc7, 0x47, 0x08, 0xff, 0xff, 0xff, 0xff }, 8, .write = true, .with_imm = true,
      .width = 8, .reg_bytes = 8, .imm = UINT64_MAX },
    { "movb $5, (%rdi)", { 0xc6, 0x07, 0x05 }, 3, .write = true, .with_imm = true, .width = 1, .reg_bytes = 1, .imm = 5 },
    { "movw $0x1234, (%rdi)", { 0x66, 0xc7, 0x07, 0x34, 0x12 }, 5, .write = true, .with_imm = true, .width = 2,
      .reg_bytes = 2, .imm = 0x1234 },
    { "movzbl (%rdi), %eax", { 0x0f, 0xb6, 0x07 }, 3, .width = 1, .reg_bytes = 4 },
    { "movswq (%rdi), %rdx", { 0x48, 0x0f, 0xbf, 0x17 }, 4, .sign_extend = true, .width = 2, .reg_bytes = 8, .reg = 2 },
    { "mov %gs:(%rdi), %eax", { 0x65, 0x8b, 0x07 }, 3, .width = 4, .reg_bytes = 4 },
};

static bool same(const struct encoding *e, const struct mmio_insn *i)
{
    return i->length == e->length && i->write == e->write && i->with_imm == e->with_imm && i->bytes == e->width &&
           i->sign_extend == e->sign_extend && i->high_byte == e->high_byte && i->reg_bytes == e->reg_bytes &&
           (e->with_imm ? i->imm == e->imm : i->reg == e->reg);
}

static void real_ones(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(encodings); n++) {
        struct mmio_insn insn;
        int rc = mmio_decode(encodings[n].bytes, sizeof(encodings[n].bytes), true, true, &insn);

        ok(rc == 0 && same(&encodings[n], &insn), "%s", encodings[n].text);
    }
}

static void refused(const char *text, const char *bytes, unsigned n, bool long_mode, bool default_32)
{
    struct mmio_insn insn;

    is(mmio_decode((const uint8_t *)bytes, n, long_mode, default_32, &insn), -EINVAL, "refused: %s", text);
}

static void refusals(void)
{
    refused("between registers", "\x89\xc0", 2, true, true);
    refused("add to memory", "\x01\x07", 2, true, true);
    refused("xchg", "\x87\x07", 2, true, true);
    refused("movs", "\xa5", 1, true, true);
    refused("mov to memory, locked", "\xf0\x89\x07", 3, true, true);
    refused("C7 /1", "\xc7\x0f\x00\x00\x00\x00", 6, true, true);
    refused("16-bit code: its addresses have another form", "\x89\x07", 2, false, false);
    refused("nothing but prefixes", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66", 15, true, true);
    refused("no bytes at all", "", 0, true, true);
}

/* What is said of a decoded instruction holds for its consumers: sizes they know, a register there is, a length there is. */
static bool sane(const struct mmio_insn *i, unsigned n)
{
    return i->length > 0 && i->length <= n && i->reg < 16 && (i->bytes == 1 || i->bytes == 2 || i->bytes == 4 ||
           i->bytes == 8) && i->reg_bytes >= i->bytes && (!i->high_byte || i->reg < 4);
}

static void all_starts(void)
{
    uint64_t seed = 7, decoded = 0, insane = 0;

    for (uint32_t start = 0; start < 1u << 24; start += 1 + random_below(&seed, 3)) {
        unsigned n = 1 + random_below(&seed, 15);
        uint8_t *bytes = malloc(n);
        struct mmio_insn insn;

        for (unsigned i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i < 3 ? start >> 8 * (2 - i) : random_next(&seed));
        if (mmio_decode(bytes, n, start & 1, true, &insn) == 0) {
            decoded++;
            insane += !sane(&insn, n);
        }
        free(bytes);
    }
    ok(decoded > 10000 && insane == 0, "all starts of three bytes: %lu decoded, %lu wrongly", decoded, insane);
}

int main(void)
{
    real_ones();
    refusals();
    all_starts();
    return tap_end();
}
