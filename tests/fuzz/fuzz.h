/* A fuzz target is one function, as libFuzzer wants it, and its seeds. Linked
 * with driver.c it is a check that ends; built by clang -fsanitize=fuzzer
 * without driver.c it runs as long as one likes. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

extern const char *const fuzz_name;
extern const char *const fuzz_seeds[];  /* NULL-terminated */

#endif
