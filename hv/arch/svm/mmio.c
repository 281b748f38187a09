/* Decoding of one MOV between a register or immediate and memory: the address is known from the fault, so only size,
 * direction, register and length matter. Everything else is refused; there is no general emulator. Pure. */
#include "hv/arch/svm/svm.h"

struct cursor {
    const uint8_t *bytes;
    unsigned at, n;
    bool overrun;
};

static uint8_t next(struct cursor *c)
{
    if (c->at >= c->n) {
        c->overrun = true;
        return 0;
    }
    return c->bytes[c->at++];
}

/* Skips SIB and displacement of a memory operand with 32- or 64-bit addressing (APM 3, 1.4). */
static int skip_memory_operand(struct cursor *c, uint8_t modrm)
{
    unsigned mod = modrm >> 6, rm = modrm & 7, disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;

    if (mod == 3)
        return -EINVAL;
    if (rm == 4) {
        uint8_t sib = next(c);

        if (mod == 0 && (sib & 7) == 5)
            disp = 4;
    } else if (mod == 0 && rm == 5) {
        disp = 4;
    }
    c->at += disp;
    return c->at > c->n ? -EINVAL : 0;
}

static void read_imm(struct cursor *c, struct mmio_insn *insn)
{
    unsigned n = MIN(insn->bytes, 4u);
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)next(c) << 8 * i;
    insn->imm = insn->bytes == 8 ? (uint64_t)(int64_t)(int32_t)v : v;
    insn->with_imm = true;
}

int mmio_decode(const uint8_t *bytes, unsigned n, bool long_mode, bool default_32, struct mmio_insn *insn)
{
    struct cursor c = { bytes, 0, n, false };
    bool opsize = false;
    uint8_t rex = 0, op, modrm;

    *insn = (struct mmio_insn){ 0 };
    if (!default_32)
        return -EINVAL;                 /* 16-bit addresses: nobody's driver */
    for (op = next(&c);; op = next(&c)) {
        if (op == 0x66)
            opsize = !opsize;
        else if (op != 0x2E && op != 0x36 && op != 0x3E && op != 0x26 && op != 0x64 && op != 0x65)
            break;
    }
    if (long_mode && (op & 0xF0) == 0x40) {
        rex = op;
        op = next(&c);
    }
    insn->reg_bytes = rex & 8 ? 8 : opsize ? 2 : 4;
    insn->bytes = insn->reg_bytes;
    if (op == 0x0F) {                   /* MOVZX, MOVSX from 8 or 16 bits */
        op = next(&c);
        if (op != 0xB6 && op != 0xB7 && op != 0xBE && op != 0xBF)
            return -EINVAL;
        insn->bytes = op & 1 ? 2 : 1;
        insn->sign_extend = op & 8;
    } else if (op == 0x88 || op == 0x8A || op == 0xC6) {
        insn->bytes = insn->reg_bytes = 1;
        insn->write = op != 0x8A;
    } else if (op == 0x89 || op == 0x8B || op == 0xC7) {
        insn->write = op != 0x8B;
    } else {
        return -EINVAL;
    }
    modrm = next(&c);
    if (c.overrun || skip_memory_operand(&c, modrm))
        return -EINVAL;
    insn->reg = (modrm >> 3 & 7) | (rex & 4 ? 8 : 0);
    if (op == 0xC6 || op == 0xC7) {
        if (insn->reg & 7)
            return -EINVAL;
        read_imm(&c, insn);
    } else if (insn->reg_bytes == 1 && !rex && insn->reg >= 4) {
        insn->high_byte = true;         /* AH CH DH BH */
        insn->reg -= 4;
    }
    insn->length = c.at;
    return c.overrun ? -EINVAL : 0;
}
