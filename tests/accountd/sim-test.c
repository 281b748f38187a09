#include "tests/accountd/disk.h"
#include "tests/accountd/sim.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
int main(int argc, char **argv)
{
    static struct sim sim;
    unsigned long from = argc > 1 ? strtoul(argv[1], NULL, 10) : 1, to = argc > 2 ? strtoul(argv[2], NULL, 10) : from;
    unsigned bad = 0;

    for (unsigned long seed = from; seed <= to; seed++) {
        unsigned b;

        sim.loud = true;
        sim_play(&sim, seed, 40);
        b = sim.alive ? oracle_broken(&sim) : 1;
        if (b)
            printf("# seed %lu: %x born %u books %u inv %u restarts %u\n", seed, b, sim.born, sim.books, sim.invoices, sim.restarts);
        bad += b != 0;
        sim_end(&sim);
    }
    check(bad == 0, "%u bad", bad);
    return tap_end();
}
