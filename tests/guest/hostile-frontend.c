/* hostile-frontend: a guest whose frontends break every promise that io/blkif.h and io/netif.h make. `attack=WORD` on the
 * command line runs the attacks whose names begin so ("disk" and "net" are all of one device), one line each:
 *     attack NAME done: closed | open | accepted | refused | the status of the answer
 * "closed" is the backend giving up on the device, "open" silence. Last, an honest request shows that a frontend that
 * begins anew is served. For guests. */
#include "tests/guest/hostile.h"

static char wish[64];

bool wanted(const char *attack)
{
    for (const char *w = wish; *w; w++, attack++) {
        if (*w != *attack)
            return false;
    }
    return true;
}

void done_with(const char *attack, const char *result)
{
    print("attack %s done: %s\n", attack, result);
}

void done(const char *attack, int64_t answer)
{
    char text[24];

    if (answer == ANSWER_CLOSED || answer == ANSWER_NONE)
        done_with(attack, answer == ANSWER_CLOSED ? "closed" : "open");
    else
        done_with(attack, format(text, sizeof(text), "%d", answer));
}

void guest_main(void)
{
    if (guest_is_dom0() || !cmdline_word("attack", wish, sizeof(wish))) {
        check(guest_is_dom0(), "attack=WORD is wanted on the command line");
        return;
    }
    xs_start();
    if (wish[0] == 'd')
        disk_attacks();
    else
        net_attacks();
    check(true, "attacks made");
    print("hostile: over\n");
}
