/* flip BUNDLE KEYS: flips each bit of the bundle, one at a time, and counts what
 * xs-verify's code still accepts. As many processes as there are CPUs; built
 * without sanitizers, for it verifies a million bundles. */
#include "client/verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 64

struct tally {
    size_t accepted[PROCESSES_MAX], first[PROCESSES_MAX];
};

static char *read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "re");
    char *bytes = NULL;

    if (!in || fseek(in, 0, SEEK_END) != 0) {
        perror(path);
        exit(99);
    }
    *len = (size_t)ftell(in);
    rewind(in);
    bytes = calloc(1, *len + 1);
    if (!bytes || fread(bytes, 1, *len, in) != *len)
        exit(99);
    fclose(in);
    return bytes;
}

static void flip(char *archive, size_t len, const char *keys, size_t begin, size_t step, size_t *accepted, size_t *first)
{
    struct verify_summary summary;
    struct json_why why;

    for (size_t bit = begin; bit < 8 * len; bit += step) {
        archive[bit / 8] ^= (char)(1 << bit % 8);
        if (verify_bundle(archive, len, keys, &summary, &why) == 0 && (*accepted)++ == 0)
            *first = bit;
        archive[bit / 8] ^= (char)(1 << bit % 8);
    }
}

int main(int argc, char **argv)
{
    struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long processes = sysconf(_SC_NPROCESSORS_ONLN);
    size_t len, keys_len, accepted = 0;
    char *archive, *keys;
    int status;

    if (argc != 3 || tally == MAP_FAILED)
        return 99;
    archive = read_file(argv[1], &len);
    keys = read_file(argv[2], &keys_len);
    processes = processes > PROCESSES_MAX ? PROCESSES_MAX : processes;
    for (long i = 0; i < processes; i++)
        if (fork() == 0) {
            flip(archive, len, keys, (size_t)i, (size_t)processes, &tally->accepted[i], &tally->first[i]);
            _exit(0);
        }
    for (long i = 0; i < processes; i++)
        if (wait(&status) < 0 || status != 0)
            return 99;
    for (long i = 0; i < processes; i++) {
        if (tally->accepted[i])
            printf("accepted: bit %zu\n", tally->first[i]);
        accepted += tally->accepted[i];
    }
    printf("%zu of %zu\n", accepted, 8 * len);
    return accepted != 0;
}
