/* Both directions of RFC 6962's consistency proof. */
#include "accountd/log/consistency.h"

int consistency_proof(uint64_t from, uint64_t to, chain_node_fn node, void *arg,
                      struct chain_hash proof[static CHAIN_PROOF_MAX])
{
    struct chain_hash from_top[CHAIN_PROOF_MAX];
    uint64_t lo = 0, hi = to;
    bool whole = true;                  /* what is left begins at leaf 0: its head is known */
    int len = 0;

    if (from == 0)
        return 0;
    while (from != hi) {
        uint64_t split = lo + chain_split(hi - lo);
        bool go_left = from <= split;

        if (chain_range(go_left ? split : lo, go_left ? hi : split, node, arg, &from_top[len++]))
            return -1;
        if (go_left)
            hi = split;
        else
            lo = split;
        whole = whole && go_left;
    }
    if (!whole && chain_range(lo, hi, node, arg, &from_top[len++]))
        return -1;
    for (int i = 0; i < len; i++)
        proof[i] = from_top[len - 1 - i];
    return len;
}

struct walk {
    uint64_t fn, sn;
    struct chain_hash fr, sr;
};

static void shift(struct walk *w)
{
    w->fn >>= 1;
    w->sn >>= 1;
}

static bool step(struct walk *w, const struct chain_hash *c)
{
    if (w->sn == 0)
        return false;
    if (w->fn & 1 || w->fn == w->sn) {
        w->fr = chain_node_hash(c, &w->fr);
        w->sr = chain_node_hash(c, &w->sr);
        while (!(w->fn & 1) && w->fn != 0)
            shift(w);
    } else {
        w->sr = chain_node_hash(&w->sr, c);
    }
    shift(w);
    return true;
}

bool consistency_verify(uint64_t from, const struct chain_hash *from_root, uint64_t to,
                        const struct chain_hash *to_root, const struct chain_hash *proof, unsigned proof_len)
{
    struct walk w = { .fn = from - 1, .sn = to - 1 };
    bool power_of_two = (from & (from - 1)) == 0;

    if (from == 0 || from > to)
        return from == 0 && proof_len == 0;
    if (from == to)
        return proof_len == 0 && chain_hash_equal(from_root, to_root);
    if (proof_len == 0)
        return false;
    while (w.fn & 1)
        shift(&w);
    w.fr = w.sr = power_of_two ? *from_root : proof[0];
    for (unsigned i = power_of_two ? 0 : 1; i < proof_len; i++)
        if (!step(&w, &proof[i]))
            return false;
    return w.sn == 0 && chain_hash_equal(&w.fr, from_root) && chain_hash_equal(&w.sr, to_root);
}
