/* The seed disk: read back by a reader of ISO 9660 that trusts nothing, and its
 * texts as a guest would take them. */
#include "provisioner/seed.h"
#include "common/log.h"
#include "sample.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define SECTOR 2048u

static uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[3] | (uint32_t)at[2] << 8 | (uint32_t)at[1] << 16 | (uint32_t)at[0] << 24;
}

/* The text of a file of the root directory, malloc'd; NULL when it is not there or the disk is not right. */
static char *file_text(const uint8_t *disk, size_t bytes, const char *name)
{
    const uint8_t *primary = disk + 16 * SECTOR, *root = primary + 156, *at;
    uint32_t sector = le32(root + 2), length = le32(root + 10);

    if (bytes < 21 * SECTOR || bytes % SECTOR || memcmp(primary, "\1CD001\1", 7) || memcmp(primary + 40, "cidata    ", 10) ||
        le32(primary + 80) != bytes / SECTOR || be32(primary + 84) != bytes / SECTOR || sector != be32(root + 6) ||
        (sector + 1) * SECTOR > bytes || length != SECTOR || disk[17 * SECTOR] != 255)
        return NULL;
    for (at = disk + sector * SECTOR; *at; at += *at) {
        uint32_t where = le32(at + 2), size = le32(at + 10);

        if (where != be32(at + 6) || size != be32(at + 14) || (uint64_t)where * SECTOR + size > bytes)
            return NULL;
        if (at[32] == strlen(name) && !memcmp(at + 33, name, at[32]))
            return strndup((const char *)disk + (size_t)where * SECTOR, size);
    }
    return NULL;
}

static bool has(const uint8_t *disk, size_t bytes, const char *name, const char *text)
{
    char *found = file_text(disk, bytes, name);
    bool good = found && (*text == '=' ? !strcmp(found, text + 1) : strstr(found, text) != NULL);

    if (!good)
        printf("# %s: %s\n", name, found ? found : "not there");
    free(found);
    return good;
}

static void contents(void)
{
    struct seed seed = { .instance_id = "ins_1", .name = "Web server", .mac = "02:11:22:33:44:55", .user_data = "" };
    size_t bytes = 0;
    uint8_t *disk;

    seed.ssh_keys = json_pack("[s, s]", "ssh-ed25519 AAAA \"me\\you\"", "ssh-rsa BBBB k\xC3\xBC");
    disk = seed_make(&seed, &bytes);
    check(disk && has(disk, bytes, "meta-data", "instance-id: ins_1\nlocal-hostname: web-server\npublic-keys:\n"),
          "meta-data has the instance's id and its name as a host name");
    check(has(disk, bytes, "meta-data", "  - \"ssh-ed25519 AAAA \\\"me\\\\you\\\"\"\n  - \"ssh-rsa BBBB k\\u00FC\"\n"),
          "and the keys, quoted so that no key can say more");
    check(has(disk, bytes, "user-data", "=#cloud-config\nssh_authorized_keys:\n  - \"ssh-ed25519 AAAA \\\"me\\\\you\\\"\"\n"
              "  - \"ssh-rsa BBBB k\\u00FC\"\n"), "user-data of nobody is a cloud-config with the keys");
    check(has(disk, bytes, "network-config", "macaddress: \"02:11:22:33:44:55\"\n    dhcp4: true"),
          "network-config asks DHCP on the NIC");
    free(disk);
    seed.mac = NULL;
    seed.user_data = "#!/bin/sh\necho hello\n";
    disk = seed_make(&seed, &bytes);
    check(disk && has(disk, bytes, "user-data", "=#!/bin/sh\necho hello\n"), "a customer's user-data is there byte for byte");
    char *none = file_text(disk, bytes, "network-config");
    check(!none, "without a NIC nothing is said of a network");
    free(none);
    free(disk);
    json_decref(seed.ssh_keys);
}

/* Texts up to the size of a sector and beyond. */
static void sizes(void)
{
    static char text[3 * SECTOR];
    struct seed seed = { .instance_id = "ins_1", .name = "a", .user_data = text };
    unsigned wrong = 0;

    seed.ssh_keys = json_array();
    for (size_t n = 1; n < sizeof(text) - 1; n += n % SECTOR > 3 && n % SECTOR < SECTOR - 3 ? 509 : 1) {
        size_t bytes;
        uint8_t *disk;
        char *found;

        memset(text, 'u', n);
        text[n] = 0;
        disk = seed_make(&seed, &bytes);
        found = disk ? file_text(disk, bytes, "user-data") : NULL;
        wrong += !found || strcmp(found, text);
        free(found);
        free(disk);
    }
    check(!wrong, "user-data of any length arrives");
    json_decref(seed.ssh_keys);
}

static void hostnames(void)
{
    static const struct {
        const char *name, *hostname;
    } cases[] = {
        { "web1", "web1" }, { "My Guest", "my-guest" }, { "  --x--  ", "x" }, { "a_b.c", "a-b-c" },
        { "\xC3\xBC\xC3\xBC", "ins-7" }, { "!!!", "ins-7" }, { "caf\xC3\xA9", "caf" },
    };
    char hostname[SEED_HOSTNAME_BYTES], name[128];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seed_hostname(cases[i].name, "ins_7", hostname);
        snprintf(name, sizeof(name), "the host name of a guest called %s", cases[i].name);
        if (!check(!strcmp(hostname, cases[i].hostname), name))
            printf("# %s\n", hostname);
    }
    memset(name, 'n', 100);
    name[100] = 0;
    seed_hostname(name, "ins_7", hostname);
    check(strlen(hostname) == SEED_HOSTNAME_BYTES - 1, "a long name is cut");
}

/* What udev will find: needs blkid(8). */
static void label(void)
{
    struct seed seed = { .instance_id = "ins_1", .name = "a", .user_data = "" };
    char command[256], *dir = sample_dir();
    size_t bytes;
    uint8_t *disk;

    seed.ssh_keys = json_array();
    disk = seed_make(&seed, &bytes);
    sample_write(dir, "seed", disk, bytes);
    snprintf(command, sizeof(command), "blkid -p -o export %s/seed | grep -q '^LABEL=cidata$' && "
             "blkid -p -o export %s/seed | grep -q '^TYPE=iso9660$'", dir, dir);
    if (system("command -v blkid >/dev/null"))
        puts("# no blkid here");
    else
        check(!system(command), "blkid finds an ISO 9660 file system labelled cidata");
    free(disk);
    json_decref(seed.ssh_keys);
}

int main(void)
{
    log_init("seed");
    contents();
    sizes();
    hostnames();
    label();
    return tap_end();
}
