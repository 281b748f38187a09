/* A worker killed after each of its instructions: the worker runs one instruction at a time under ptrace, and whenever
 * memory that outlives it has changed, a successor starts on a copy of that picture and finishes the work. Every
 * request must be answered once, counted once, and done. */
#include "tests/provisioner/blkback-world.h"
#include "tests/provisioner/tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS    4u
#define PER_ROUND 12u                   /* so the ring of 32 wraps */
#define REQUESTS  (ROUNDS * PER_ROUND)
#define FIRST_ID  1000u

struct picture {
    struct world world;
    bool frontend_acts;                 /* its own steps are not a backend's to survive */
    unsigned answers[REQUESTS];
    unsigned answers_wrong;
};

static struct picture *live, *image;

/* Request n of a round: each of a round has its own page and sectors. */
static uint8_t op_of(unsigned n)
{
    static const uint8_t ops[] = { BLKIF_OP_WRITE, BLKIF_OP_READ, BLKIF_OP_INDIRECT, BLKIF_OP_WRITE,
                                   BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_DISCARD };

    return ops[n % 6];
}

static uint64_t sector_of(unsigned n)
{
    return n % PER_ROUND * 2;
}

/* What its first byte on the disk is afterwards; -1: it changes nothing. */
static int writes(unsigned n)
{
    uint8_t op = op_of(n);

    if (op == BLKIF_OP_DISCARD)
        return 0;
    return op == BLKIF_OP_WRITE || op == BLKIF_OP_INDIRECT ? (int)(100 + n) : -1;
}

static void request_send(unsigned n)
{
    unsigned page = n % PER_ROUND;
    struct blkif_request req = { .operation = op_of(n), .id = FIRST_ID + n, .sector_number = sector_of(n) };
    struct blkif_request_segment seg = { .gref = page + 1, .first_sect = 0, .last_sect = 1 };

    memset(world->pages[page], writes(n) > 0 ? writes(n) : 0xee, 1024);
    if (op_of(n) == BLKIF_OP_INDIRECT) {
        struct blkif_request_indirect indirect = { .operation = BLKIF_OP_INDIRECT, .indirect_op = BLKIF_OP_WRITE,
                                                   .nr_segments = 1, .id = req.id, .sector_number = req.sector_number };

        indirect.indirect_grefs[0] = PER_ROUND + 1 + n / 6 % 2;
        memcpy(world->pages[PER_ROUND + n / 6 % 2], &seg, sizeof(seg));
        frontend_sends(&indirect, sizeof(indirect));
        return;
    }
    if (op_of(n) == BLKIF_OP_DISCARD) {
        struct blkif_request_discard discard = { .operation = BLKIF_OP_DISCARD, .id = req.id, .nr_sectors = 2,
                                                 .sector_number = req.sector_number };

        frontend_sends(&discard, sizeof(discard));
        return;
    }
    if (op_of(n) != BLKIF_OP_FLUSH_DISKCACHE) {
        req.nr_segments = 1;
        req.seg[0] = seg;
    }
    frontend_sends(&req, sizeof(req));
}

static void answers_take(struct picture *picture)
{
    struct blkif_response answer;

    while (frontend_hears(&answer)) {
        if (answer.id - FIRST_ID < REQUESTS && answer.status == BLKIF_RSP_OKAY)
            picture->answers[answer.id - FIRST_ID]++;
        else
            picture->answers_wrong++;
    }
}

static void script(struct picture *picture)
{
    world = &picture->world;
    for (unsigned round = 0; round < ROUNDS; round++) {
        picture->frontend_acts = true;
        answers_take(picture);
        for (unsigned i = 0; i < PER_ROUND; i++)
            request_send(round * PER_ROUND + i);
        picture->frontend_acts = false;
        if (!round && !worker_begins())
            _exit(1);
        worker_finishes();
    }
}

static bool requests_done(const struct picture *picture)
{
    for (unsigned n = 0; n < picture->world.req_prod; n++)
        if (picture->answers[n] != 1)
            return false;
    return picture->answers_wrong == 0;
}

/* The last request of a lane decides what its sectors hold. */
static bool disk_right(const struct picture *picture)
{
    for (unsigned n = 0; n < picture->world.req_prod; n++) {
        const uint8_t *sectors = picture->world.disk + sector_of(n) * SECTOR_BYTES;
        bool last = n + PER_ROUND >= picture->world.req_prod;

        if (last && writes(n) >= 0 && (sectors[0] != writes(n) || sectors[1023] != writes(n)))
            return false;
    }
    return true;
}

static bool counts_right(const struct picture *picture)
{
    static const uint8_t kinds[] = { [BLKIF_OP_READ] = XS_METER_disk_read, [BLKIF_OP_WRITE] = XS_METER_disk_write,
                                     [BLKIF_OP_INDIRECT] = XS_METER_disk_write,
                                     [BLKIF_OP_FLUSH_DISKCACHE] = XS_METER_disk_flush,
                                     [BLKIF_OP_DISCARD] = XS_METER_disk_discard };
    unsigned n;

    for (n = 0; n < picture->world.req_prod; n++) {
        uint8_t kind = kinds[op_of(n)];
        bool moves = kind == XS_METER_disk_read || kind == XS_METER_disk_write;

        if (picture->world.counted[n] != COUNTED(kind, moves ? 1024u : 0))
            return false;
    }
    return picture->world.counted[n] == 0;
}

/* A successor on this picture. */
static bool survived(void)
{
    world = &image->world;
    if (!worker_begins() || worker_finishes() != 0 || !serve_idle(serve))
        return false;
    answers_take(image);
    return requests_done(image) && disk_right(image) && counts_right(image);
}

static unsigned steps, pictures, lost;

/* The child's next instruction. False: it has ended. */
static bool step(pid_t child)
{
    int status;

    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child || WIFEXITED(status))
        return false;
    steps++;
    return true;
}

static void watch(pid_t child, struct picture *last)
{
    while (step(child)) {
        if (live->frontend_acts || memcmp(last, live, sizeof(*live)) == 0)
            continue;
        memcpy(last, live, sizeof(*live));
        memcpy(image, last, sizeof(*image));
        pictures++;
        if (!survived() && lost++ == 0)
            printf("# first at instruction %u: %u requests sent, state takes %lu next\n", steps, last->world.req_prod,
                   (unsigned long)last->world.state.req_next);
    }
}

int main(void)
{
    struct picture *last = calloc(1, sizeof(*last));
    pid_t child;

    live = mmap(NULL, sizeof(*live), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    image = aligned_alloc(4096, sizeof(*image));
    if (live == MAP_FAILED || !image || !last)
        abort();
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        script(live);
        _exit(0);
    }
    if (child < 0 || waitpid(child, NULL, 0) != child)
        abort();
    watch(child, last);
    printf("# %u instructions, %u pictures\n", steps, pictures);
    check(pictures > 1000, "the worker ran, and left many pictures");
    check(lost == 0, "from each a successor answers, counts and does every request once");
    world = &live->world;
    answers_take(live);
    check(requests_done(live) && live->world.req_prod == REQUESTS, "the worker that was not killed did, too");
    free(last);
    free(image);
    return tap_end();
}
