/* Files for the tests: a small kernel that is right in every respect, a
 * catalogue, a directory of their own. */
#ifndef TESTS_PROVISIONER_SAMPLE_H
#define TESTS_PROVISIONER_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLE_KERNEL_BYTES 0x6000u
#define SAMPLE_ENTRY        0x1000040u
#define SAMPLE_DISK_BYTES   (36l << 20)

/* Two segments, at 16 MiB (0x3000 bytes) and 17 MiB (0x1000 in the file, 0x5000 in memory), and a note. */
void sample_kernel(uint8_t image[SAMPLE_KERNEL_BYTES]);

/* Makes DIR/kernel, DIR/initrd, DIR/disk.raw, DIR/catalog.json (images "tiny", "disk" and "gone", which is not there;
 * flavors "xs1", which has the limits below, "xs2", "huge", "nano"), DIR/console, DIR/run, DIR/state, DIR/volumes. */
void sample_files(const char *dir);
#define SAMPLE_DISK_LIMIT "100 1000000 500"
#define SAMPLE_NET_LIMIT  "200 0 60000"
/* Mostly holes; 64 KiB of 'a', 'b', 'c' at 0, 12 and 24 MiB. */
void sample_disk(const char *dir);
void sample_write(const char *dir, const char *name, const void *bytes, size_t count);
void sample_poke(const char *path, long at, char byte);
int sample_peek(const char *path, long at);             /* -1: there is no such byte */
/* How many names in a folder match (grep -E). */
unsigned sample_count(const char *folder, const char *pattern);
/* mkdtemp; removed with all it holds when the process exits that made it. */
char *sample_dir(void);

#endif
