/* Mutates the seeds FUZZ_RUNS times (200,000) from a fixed start, so that a
 * failure happens again. FUZZ_SEED chooses another start. What fails is the
 * sanitizers' or an assertion's abort; the input is printed by then. */
#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX 4096

static uint64_t state;
static uint8_t input[INPUT_MAX];
static size_t input_size;

/* xorshift64*, Vigna 2016. */
static uint64_t random_next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static size_t below(size_t bound)
{
    return bound ? (size_t)(random_next() % bound) : 0;
}

static void bytes_insert(size_t at, const void *bytes, size_t count)
{
    if (input_size + count > INPUT_MAX)
        return;
    memmove(input + at + count, input + at, input_size - at);
    memcpy(input + at, bytes, count);
    input_size += count;
}

static void bytes_remove(size_t at, size_t count)
{
    memmove(input + at, input + at + count, input_size - at - count);
    input_size -= count;
}

static void mutate(void)
{
    static const char *const words[] = { "{", "[", "\"", "\\", "\\u0000", "-", "1e999", "99999999999999999999", "/", "{id}",
                                         "%00", "..", "\xff", "\xe2\x80\xae", " ", "\n", "null", ".", "0.000000001" };
    size_t at = below(input_size + 1), other = below(input_size + 1);
    const char *word = words[below(sizeof(words) / sizeof(words[0]))];
    uint8_t byte = (uint8_t)random_next();

    switch (below(6)) {
    case 0:
        if (at < input_size)
            input[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        bytes_insert(at, &byte, 1);
        break;
    case 2:
        bytes_insert(at, word, strlen(word));
        break;
    case 3:
        bytes_remove(at, below(input_size - at + 1));
        break;
    case 4:
        if (at < other && other - at < 512)
            bytes_insert(other, memcpy((uint8_t[512]){ 0 }, input + at, other - at), other - at);
        break;
    default:
        if (at < input_size)
            input[at] = byte;
    }
}

/* Async-signal-safe: says which input it was. */
static void died(int signal)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2];

    (void)!write(2, "# input: ", 9);
    for (size_t i = 0; i < input_size; i++) {
        hex[0] = digits[input[i] >> 4];
        hex[1] = digits[input[i] & 15];
        (void)!write(2, hex, 2);
    }
    (void)!write(2, "\n", 1);
    _exit(128 + signal);
}

int main(void)
{
    const char *runs_text = getenv("FUZZ_RUNS"), *seed_text = getenv("FUZZ_SEED");
    long runs = runs_text ? strtol(runs_text, NULL, 10) : 200000;
    size_t seeds = 0;

    state = seed_text ? strtoull(seed_text, NULL, 10) | 1 : UINT64_C(88172645463325252);
    signal(SIGABRT, died);
    while (fuzz_seeds[seeds])
        seeds++;
    for (size_t i = 0; i < seeds; i++)
        LLVMFuzzerTestOneInput((const uint8_t *)fuzz_seeds[i], strlen(fuzz_seeds[i]));
    for (long i = 0; i < runs; i++) {
        const char *seed = fuzz_seeds[below(seeds)];

        input_size = strlen(seed);
        memcpy(input, seed, input_size);
        for (size_t n = below(8) + 1; n; n--)
            mutate();
        LLVMFuzzerTestOneInput(input, input_size);
    }
    printf("ok 1 - %s: %zu seeds, %ld mutations\n1..1\n", fuzz_name, seeds, runs);
    return 0;
}
