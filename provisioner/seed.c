/* The files, and around them the few structures of ISO 9660 (ECMA-119) that one
 * directory needs. Names are written as they are, lower case and with dashes:
 * no stock system that reads them as its seed minds. */
#include "provisioner/seed.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR          2048u
#define FILES_MAX       3
#define SECTOR_PRIMARY  16u             /* ECMA-119, 6.2.1: what comes before is the system's */
#define SECTOR_END      17u
#define SECTOR_PATHS_LE 18u
#define SECTOR_PATHS_BE 19u
#define SECTOR_ROOT     20u
#define SECTOR_FILES    21u
#define PATHS_BYTES     10u             /* one entry: the root */
#define RECORD_FIXED    33u             /* of a directory record, before the name */
#define DIRECTORY       2u              /* file flag */

struct file {
    const char *name;
    char *text;
    size_t bytes;
    uint32_t sector;
};

void seed_hostname(const char *name, const char *instance_id, char hostname[SEED_HOSTNAME_BYTES])
{
    size_t n = 0;

    for (const char *c = name; *c && n < SEED_HOSTNAME_BYTES - 1; c++) {
        bool plain = isascii(*c) && isalnum(*c);

        if (plain)
            hostname[n++] = (char)tolower(*c);
        else if (n && hostname[n - 1] != '-')
            hostname[n++] = '-';
    }
    while (n && hostname[n - 1] == '-')
        n--;
    hostname[n] = 0;
    if (!n && strcmp(name, instance_id))
        seed_hostname(instance_id, instance_id, hostname);
}

/* A YAML string in double quotes: JSON's are such. */
static void quoted(FILE *out, const char *text)
{
    json_t *value = json_string(text);
    char *line = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    fputs(line ? line : "\"\"", out);
    free(line);
    json_decref(value);
}

static void keys(FILE *out, const char *as, const struct seed *seed)
{
    const json_t *key;
    size_t i;

    fprintf(out, "%s:%s\n", as, json_array_size(seed->ssh_keys) ? "" : " []");
    json_array_foreach(seed->ssh_keys, i, key) {
        fputs("  - ", out);
        quoted(out, json_string_value(key));
        fputc('\n', out);
    }
}

static void meta_data(FILE *out, const struct seed *seed)
{
    char hostname[SEED_HOSTNAME_BYTES];

    seed_hostname(seed->name, seed->instance_id, hostname);
    fprintf(out, "instance-id: %s\nlocal-hostname: %s\n", seed->instance_id, hostname);
    keys(out, "public-keys", seed);
}

static void user_data(FILE *out, const struct seed *seed)
{
    if (*seed->user_data) {
        fputs(seed->user_data, out);
        return;
    }
    fputs("#cloud-config\n", out);
    keys(out, "ssh_authorized_keys", seed);
}

static void network_config(FILE *out, const struct seed *seed)
{
    fprintf(out, "version: 2\nethernets:\n  nic0:\n    match:\n      macaddress: \"%s\"\n    dhcp4: true\n", seed->mac);
}

static int file_fill(struct file *f, const char *name, void (*write)(FILE *out, const struct seed *seed),
                     const struct seed *seed)
{
    FILE *out = open_memstream(&f->text, &f->bytes);
    int failed;

    if (!out)
        return -1;
    f->name = name;
    write(out, seed);
    failed = ferror(out);
    return fclose(out) || failed ? -1 : 0;
}

static void le16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void le32(uint8_t *at, uint32_t value)
{
    le16(at, value);
    le16(at + 2, value >> 16);
}

static void be32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Numbers "recorded in both byte orders" (7.2.3, 7.3.3). */
static void both16(uint8_t *at, uint32_t value)
{
    le16(at, value);
    at[2] = at[1];
    at[3] = at[0];
}

static void both32(uint8_t *at, uint32_t value)
{
    le32(at, value);
    be32(at + 4, value);
}

/* A directory record (9.1). Returns its length. */
static size_t record_put(uint8_t *at, uint32_t sector, size_t bytes, unsigned flags, const char *name, size_t name_bytes)
{
    size_t length = (RECORD_FIXED + name_bytes + 1) & ~(size_t)1;

    at[0] = (uint8_t)length;
    both32(at + 2, sector);
    both32(at + 10, (uint32_t)bytes);
    at[18] = 70;                        /* 1970-01-01: what the disk says does not depend on when it was made */
    at[19] = at[20] = 1;
    at[25] = (uint8_t)flags;
    both16(at + 28, 1);
    at[32] = (uint8_t)name_bytes;
    memcpy(at + RECORD_FIXED, name, name_bytes);
    return length;
}

static void date_none(uint8_t *at)
{
    memset(at, '0', 16);
    at[16] = 0;
}

/* The primary volume descriptor (8.4) and the terminator (8.3). */
static void descriptors_put(uint8_t *disk, uint32_t sectors)
{
    uint8_t *p = disk + SECTOR_PRIMARY * SECTOR, *end = disk + SECTOR_END * SECTOR;

    p[0] = 1;
    memcpy(p + 1, "CD001", 5);
    p[6] = 1;
    memset(p + 8, ' ', 64);
    memcpy(p + 40, "cidata", 6);
    both32(p + 80, sectors);
    both16(p + 120, 1);
    both16(p + 124, 1);
    both16(p + 128, SECTOR);
    both32(p + 132, PATHS_BYTES);
    le32(p + 140, SECTOR_PATHS_LE);
    be32(p + 148, SECTOR_PATHS_BE);
    record_put(p + 156, SECTOR_ROOT, SECTOR, DIRECTORY, "", 1);
    memset(p + 190, ' ', 623);
    for (unsigned i = 0; i < 4; i++)
        date_none(p + 813 + 17 * i);
    p[881] = 1;
    end[0] = 255;
    memcpy(end + 1, "CD001", 5);
    end[6] = 1;
}

/* Path tables (9.4) in both byte orders, and the root directory. */
static void directory_put(uint8_t *disk, const struct file *files, unsigned count)
{
    uint8_t *little = disk + SECTOR_PATHS_LE * SECTOR, *big = disk + SECTOR_PATHS_BE * SECTOR;
    uint8_t *at = disk + SECTOR_ROOT * SECTOR;

    little[0] = big[0] = 1;
    le32(little + 2, SECTOR_ROOT);
    le16(little + 6, 1);
    be32(big + 2, SECTOR_ROOT);
    big[7] = 1;
    at += record_put(at, SECTOR_ROOT, SECTOR, DIRECTORY, "\0", 1);
    at += record_put(at, SECTOR_ROOT, SECTOR, DIRECTORY, "\1", 1);
    for (unsigned i = 0; i < count; i++)
        at += record_put(at, files[i].sector, files[i].bytes, 0, files[i].name, strlen(files[i].name));
}

static uint32_t files_place(struct file *files, unsigned count)
{
    uint32_t sector = SECTOR_FILES;

    for (unsigned i = 0; i < count; i++) {
        files[i].sector = sector;
        sector += (uint32_t)((files[i].bytes + SECTOR - 1) / SECTOR);
    }
    return sector;
}

uint8_t *seed_make(const struct seed *seed, size_t *bytes)
{
    struct file files[FILES_MAX] = { { 0 } };       /* by name, as 9.3 wants them */
    unsigned count = 0;
    uint8_t *disk = NULL;
    int rc = file_fill(&files[count++], "meta-data", meta_data, seed);

    if (!rc && seed->mac)
        rc = file_fill(&files[count++], "network-config", network_config, seed);
    if (!rc)
        rc = file_fill(&files[count++], "user-data", user_data, seed);
    if (!rc) {
        uint32_t sectors = files_place(files, count);

        *bytes = (size_t)sectors * SECTOR;
        disk = calloc(sectors, SECTOR);
    }
    if (disk) {
        descriptors_put(disk, (uint32_t)(*bytes / SECTOR));
        directory_put(disk, files, count);
        for (unsigned i = 0; i < count; i++)
            memcpy(disk + (size_t)files[i].sector * SECTOR, files[i].text, files[i].bytes);
    }
    for (unsigned i = 0; i < count; i++)
        free(files[i].text);
    return disk;
}
