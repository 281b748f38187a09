/* A worker that is killed between any two of its instructions, and continued by the next from the state file. */
#include "tests/provisioner/netback/traffic.h"
#include "tests/tap/tap.h"

static unsigned kills;

static void round_with_kill(void)
{
    bool alive;

    model_kill_after(1 + random_below(128u << random_below(7)));
    round_of_traffic(1, &alive);
    model_kill_after(0);
    if (!alive && !model.broken[0]) {
        kills++;
        model_take_over();
    }
}

static bool run(uint64_t seed)
{
    begin(seed);
    for (unsigned i = 0; i < 25; i++)
        round_with_kill();
    finish(1);
    bool good = !model.broken[0] && all_went_out(true) && all_came_in(true) && counts_are_exact();
    if (!good)
        printf("# seed %lu: broken '%s', out %d, in %d, counts %d\n", (unsigned long)seed, model.broken, all_went_out(true),
               all_came_in(true), counts_are_exact());
    return good;
}

int main(void)
{
    uint64_t replays = 0;
    bool good = true;

    for (uint64_t seed = 1; seed <= 40 && good; seed++) {
        good = run(seed);
        replays += model.replays;
    }
    check(good && kills > 200 && replays > 20,
          "killed after any instruction, %u times: no packet lost or answered twice, none counted twice (%lu replays)", kills,
          (unsigned long)replays);
    model_reset();
    return tap_end();
}
