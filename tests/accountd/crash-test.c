/* accountd's databases under kill -9, power cuts and full disks: a fixed story
 * of money and use is told, the process ends at the N-th write, sync or
 * truncation, is started again, and goes on from the act that was not
 * acknowledged. The bill and the balances must be those of the story told
 * without a break. The four endings take the changes in turn, so that
 * together they break at each of them.
 *
 * The disk is a VFS over SQLite's own that keeps, at each sync, a copy of the
 * file as it then was. A power cut puts the copies back; a torn one keeps a
 * random part of what came after the last sync.
 */
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define S 1000000000ull
#define FILES_MAX 8
#define CRASHED   42

enum ending { KILL, POWER_CUT, TORN, FULL_DISK, ENDINGS };
static const char *const ending_names[ENDINGS] = { "kill -9", "a power cut", "a torn power cut", "a full disk" };

struct shadow {
    char path[200];
    size_t len;
    char *bytes;                        /* as of its last sync; lives in shared memory */
    bool gone;                          /* deleted, and not synced again since */
};

/* Shared between the test and the process that dies. */
struct stage {
    struct life life;
    unsigned act;                       /* the next to be done */
    unsigned hv_done;                   /* acts whose hv part has happened: hv does not crash with us */
    unsigned ops, crash_at;
    enum ending ending;
    bool counting;
    struct shadow shadow[FILES_MAX];
    unsigned shadows;
};
static struct stage *stage;

#define SHADOW_BYTES (4u << 20)

static sqlite3_vfs disk;
static sqlite3_vfs *real_disk;

/* SQLite's files are of more than one kind: a database and its log have other methods. */
#define KINDS_MAX 4
static struct kind {
    const sqlite3_io_methods *real;
    sqlite3_io_methods ours;
} kinds[KINDS_MAX];

#define OPEN_MAX_FILES 64
static struct open_file {
    sqlite3_file *file;                 /* NULL: free */
    const char *path;
    const sqlite3_io_methods *real;
} open_files[OPEN_MAX_FILES];

static struct shadow *shadow_of(const char *path)
{
    struct shadow *s;

    for (unsigned i = 0; i < stage->shadows; i++)
        if (strcmp(stage->shadow[i].path, path) == 0)
            return &stage->shadow[i];
    if (stage->shadows == FILES_MAX || strlen(path) >= sizeof(stage->shadow[0].path))
        _exit(99);
    s = &stage->shadow[stage->shadows++];
    strcpy(s->path, path);
    s->len = 0;
    return s;
}

/* The entry of an open file; of NULL, a free one. */
static struct open_file *entry_of(sqlite3_file *file)
{
    for (unsigned i = 0; i < OPEN_MAX_FILES; i++)
        if (open_files[i].file == file)
            return &open_files[i];
    _exit(99);
}

/* Counts a change; SQLITE_OK, or this one is the last. */
static int change(void)
{
    if (!stage->counting || ++stage->ops < stage->crash_at)
        return SQLITE_OK;
    if (stage->ending == FULL_DISK)
        return stage->ops < stage->crash_at + 5 ? SQLITE_FULL : SQLITE_OK;
    _exit(CRASHED);
}

static int disk_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    int rc = change();

    return rc ? rc : entry_of(file)->real->xWrite(file, bytes, len, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = change();

    return rc ? rc : entry_of(file)->real->xTruncate(file, size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    const struct open_file *open_file = entry_of(file);
    struct shadow *s = shadow_of(open_file->path);
    sqlite3_int64 size;
    int rc = change();

    (void)flags;
    if (rc)
        return rc;
    if (open_file->real->xFileSize(file, &size) != SQLITE_OK || size > SHADOW_BYTES)
        _exit(99);
    s->gone = false;
    s->len = (size_t)size;
    if (size && open_file->real->xRead(file, s->bytes, (int)size, 0) != SQLITE_OK)
        _exit(99);
    return SQLITE_OK;
}

static int disk_close(sqlite3_file *file)
{
    struct open_file *open_file = entry_of(file);

    open_file->file = NULL;
    return open_file->real->xClose(file);
}

static const sqlite3_io_methods *ours_of(const sqlite3_io_methods *real)
{
    for (unsigned i = 0; i < KINDS_MAX; i++) {
        if (kinds[i].real == real)
            return &kinds[i].ours;
        if (kinds[i].real)
            continue;
        kinds[i] = (struct kind){ real, *real };
        kinds[i].ours.xWrite = disk_write;
        kinds[i].ours.xTruncate = disk_truncate;
        kinds[i].ours.xSync = disk_sync;
        kinds[i].ours.xClose = disk_close;
        return &kinds[i].ours;
    }
    _exit(99);
}

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    int rc = real_disk->xOpen(real_disk, path, file, flags, out);

    (void)vfs;
    if (rc != SQLITE_OK || !file->pMethods || !path)
        return rc;
    *entry_of(NULL) = (struct open_file){ file, path, file->pMethods };
    file->pMethods = ours_of(file->pMethods);
    return rc;
}

/* SQLite deletes a log when its last reader closes, after the database was synced. */
static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
    (void)vfs;
    for (unsigned i = 0; i < stage->shadows; i++)
        if (strcmp(stage->shadow[i].path, path) == 0) {
            stage->shadow[i].gone = true;
            stage->shadow[i].len = 0;
        }
    return real_disk->xDelete(real_disk, path, sync_dir);
}

static void install_disk(void)
{
    real_disk = sqlite3_vfs_find(NULL);
    disk = *real_disk;
    disk.zName = "shadowed";
    disk.xOpen = disk_open;
    disk.xDelete = disk_delete;
    sqlite3_vfs_register(&disk, 1);
}

/* The story. Each act is what a caller would do again if it got no answer. */

static bool open_account(struct life *l)
{
    enum ledger_result r = ledger_account_open(l->a.ledger, "acc", "Ann", "EUR", 1);

    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

static bool fund(struct life *l, const char *id, int64_t nano)
{
    enum ledger_result r = ledger_fund(l->a.ledger, id, "acc", nano, NULL, "voucher", 1);

    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

static bool fund_first(struct life *l)
{
    return fund(l, "t1", 9000000);
}

static bool fund_second(struct life *l)
{
    return fund(l, "t2", 77);
}

static bool settle(struct life *l)
{
    return life_step(l, 0) == 0;
}

static bool enlist(struct life *l)
{
    enum ledger_result r = life_register(l, "acc", "ins", 0xaa);

    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

static bool invoice(struct life *l, const char *id)
{
    json_t *body = NULL;
    struct json_why why;
    enum ledger_result r;

    if (accountd_settle(&l->a, 0, "acc"))
        return false;
    r = invoice_create(&l->a, id, "acc", &body, &why);
    json_decref(body);
    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

static bool invoice_first(struct life *l)
{
    return invoice(l, "inv1");
}

static bool invoice_second(struct life *l)
{
    return invoice(l, "inv2");
}

static bool close_instance(struct life *l)
{
    enum ledger_result r = ledger_instance_close(l->a.ledger, "ins");

    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

/* What hv does before an act: time goes on and counters grow, whoever listens. */
static void hv_is_born(struct life *l)
{
    life_birth(l, 2, 0xaa);
}

static void hv_runs(struct life *l)
{
    l->now_ns += 61 * S;
    life_slot(l, 2)->guest_ns += 12345678901;
    life_slot(l, 2)->disk_write_ops += 11;
}

static void hv_dies(struct life *l)
{
    l->now_ns += S;
    life_death(l, 2);
}

static void hv_frees(struct life *l)
{
    *life_slot(l, 2) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
    l->now_ns += S;
}

static const struct act {
    void (*hv)(struct life *life);      /* happens once, before the act is tried */
    bool (*act)(struct life *life);
} story[] = {
    { NULL, open_account }, { NULL, fund_first },   { hv_is_born, settle }, { NULL, enlist },      { NULL, settle },
    { hv_runs, settle },    { hv_runs, settle },    { NULL, invoice_first }, { hv_runs, settle },  { NULL, fund_second },
    { hv_dies, settle },    { hv_frees, settle },   { NULL, close_instance }, { NULL, settle },    { NULL, invoice_second },
};
#define ACTS (sizeof(story) / sizeof(story[0]))

/* Tells the story from stage->act on. A full disk lets an act fail; it is tried again. */
static bool tell(void)
{
    struct life *l = &stage->life;
    unsigned tries = 0;

    while (stage->act < ACTS) {
        const struct act *act = &story[stage->act];

        if (stage->hv_done == stage->act) {
            stage->hv_done++;
            if (act->hv)
                act->hv(l);
        }
        l->a.sample.now_ns = l->now_ns;
        if (act->act(l)) {
            stage->act++;
            tries = 0;
        } else if (++tries > 20) {
            return false;
        }
    }
    return true;
}

/* What ASan keeps of freed memory is copied by every fork, and there are two for each break. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4";
}

struct outcome {
    int64_t posted, held;
    struct meter_usage billed;
    bool sound, told;
};

static struct outcome outcome(bool told)
{
    struct life *l = &stage->life;
    struct outcome o = { .told = told };

    o.posted = life_posted(l, "acc");
    o.held = life_held(l, "acc");
    o.billed = life_billed(l, "acc", "ins");
    o.sound = life_is_sound(l);
    return o;
}

/* The disk as the machine finds it when it comes up again. */
static void come_up(enum ending ending, unsigned seed)
{
    srand(seed);
    for (unsigned i = 0; i < stage->shadows; i++) {
        struct shadow *s = &stage->shadow[i];
        char shm[220];
        size_t keep = s->len, len;
        static char now[SHADOW_BYTES];
        FILE *file = fopen(s->path, "re");

        len = file ? fread(now, 1, sizeof(now), file) : 0;
        if (file)
            fclose(file);
        if (s->gone && ending == POWER_CUT) {
            unlink(s->path);
            continue;
        }
        /* Torn: each 512-byte sector written since the sync may be there or not. */
        if (ending == TORN && len >= s->len)
            keep = s->len + (size_t)rand() % (len - s->len + 1);
        for (size_t at = 0; at < keep; at += 512) {
            size_t n = keep - at < 512 ? keep - at : 512;

            if (at >= s->len ? rand() % 4 != 0 : ending == TORN && rand() % 2)
                memcpy(s->bytes + at, now + at, n);
            else if (at >= s->len)
                memset(s->bytes + at, 0, n);
        }
        file = fopen(s->path, "we");
        if (!file || fwrite(s->bytes, 1, keep, file) != keep || fclose(file) != 0)
            _exit(99);
        snprintf(shm, sizeof(shm), "%.*s-shm", (int)(strlen(s->path) - (strstr(s->path, "-wal") ? 4 : 0)), s->path);
        unlink(shm);
    }
}

static void begin_stage(unsigned crash_at, enum ending ending)
{
    stage->act = stage->hv_done = 0;
    stage->ops = 0;
    stage->counting = false;
    stage->crash_at = crash_at;
    stage->ending = ending;
    stage->shadows = 0;
    life_begin(&stage->life);
    accountd_close(&stage->life.a);
}

static int in_child(bool crashing)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "w", stderr);
        stage->counting = crashing;
        if (!life_reopen(&stage->life))
            _exit(98);
        _exit(tell() ? 0 : 97);
    }
    if (waitpid(pid, &status, 0) != pid)
        exit(99);
    stage->counting = false;
    /* Its pointers were another process's. */
    stage->life.a.store = NULL;
    stage->life.a.ledger = NULL;
    stage->life.a.journal.entries = NULL;
    stage->life.a.head.note = NULL;
    stage->life.a.seller = (struct seller){ .party = NULL };
    return WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}

/* The story with a break at the N-th change; false in *broke when it ended before. */
static struct outcome story_with_break(unsigned crash_at, enum ending ending, bool *broke)
{
    struct outcome o = { .told = false };
    int status;

    begin_stage(crash_at, ending);
    status = in_child(true);
    *broke = status == CRASHED || (ending == FULL_DISK && stage->ops >= crash_at);
    if (status == CRASHED && ending != KILL)
        come_up(ending, crash_at);
    if (status == CRASHED)
        status = in_child(false);
    if (status == 0 && life_reopen(&stage->life))
        o = outcome(true);
    life_end(&stage->life);
    return o;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return a->told && b->told && a->sound && b->sound && a->posted == b->posted && a->held == b->held &&
           memcmp(&a->billed, &b->billed, sizeof(a->billed)) == 0;
}

int main(void)
{
    struct outcome whole;
    bool broke;

    stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stage == MAP_FAILED)
        return 99;
    for (unsigned i = 0; i < FILES_MAX; i++)
        stage->shadow[i].bytes = mmap(NULL, SHADOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    install_disk();
    whole = story_with_break(1u << 30, KILL, &broke);
    check(whole.told && whole.sound && whole.held == 0 && whole.posted > 0, "the story without a break: %jd nano are left",
          (intmax_t)whole.posted);
    for (enum ending ending = KILL; ending < ENDINGS; ending++) {
        unsigned changes = 0, wrong = 0, first = 0;

        for (unsigned n = 1 + ending;; n += ENDINGS) {
            struct outcome o = story_with_break(n, ending, &broke);

            if (!broke)
                break;
            changes++;
            if (!same(&o, &whole) && wrong++ == 0) {
                first = n;
                printf("# %u: sound %d, posted %jd, held %jd\n", n, o.sound, (intmax_t)o.posted, (intmax_t)o.held);
            }
        }
        check(changes > 50 && wrong == 0, "%s at %u changes of the disk: the bill is the same (%u wrong, first %u)",
              ending_names[ending], changes, wrong, first);
    }
    return tap_end();
}
