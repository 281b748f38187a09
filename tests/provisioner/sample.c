#include "sample.h"

#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <xen/elfnote.h>

void sample_kernel(uint8_t image[SAMPLE_KERNEL_BYTES])
{
    Elf64_Ehdr e = { .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_phoff = 0x40,
                     .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3 };
    Elf64_Phdr p[3] = {
        { .p_type = PT_LOAD, .p_offset = 0x1000, .p_paddr = 0x1000000, .p_filesz = 0x3000, .p_memsz = 0x3000 },
        { .p_type = PT_LOAD, .p_offset = 0x4000, .p_paddr = 0x1100000, .p_filesz = 0x1000, .p_memsz = 0x5000 },
        { .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 24 + 24 },
    };
    struct {
        Elf64_Nhdr head;
        char name[4];
        uint64_t value;
    } notes[2] = { { { 4, 8, XEN_ELFNOTE_INIT_P2M }, "Xen", 7 },
                   { { 4, 8, XEN_ELFNOTE_PHYS32_ENTRY }, "Xen", SAMPLE_ENTRY } };

    memset(image, 0x90, SAMPLE_KERNEL_BYTES);
    memcpy(e.e_ident, ELFMAG, SELFMAG);
    e.e_ident[EI_CLASS] = ELFCLASS64;
    e.e_ident[EI_DATA] = ELFDATA2LSB;
    e.e_ident[EI_VERSION] = EV_CURRENT;
    memcpy(image, &e, sizeof(e));
    memcpy(image + 0x40, p, sizeof(p));
    for (unsigned i = 0; i < 2; i++) {
        memcpy(image + 0x200 + i * 24, &notes[i].head, 12);
        memcpy(image + 0x20c + i * 24, notes[i].name, 4);
        memcpy(image + 0x210 + i * 24, &notes[i].value, 8);
    }
}

void sample_write(const char *dir, const char *name, const void *bytes, size_t count)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    if (!f || fwrite(bytes, 1, count, f) != count || fclose(f))
        err(1, "%s", path);
}

void sample_disk(const char *dir)
{
    static uint8_t block[1 << 16];
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/disk.raw", dir);
    f = fopen(path, "w");
    if (!f || ftruncate(fileno(f), SAMPLE_DISK_BYTES))
        err(1, "%s", path);
    for (unsigned i = 0; i < 3; i++) {
        memset(block, 'a' + (int)i, sizeof(block));
        if (fseek(f, (long)i * 12 << 20, SEEK_SET) || fwrite(block, sizeof(block), 1, f) != 1)
            err(1, "%s", path);
    }
    if (fclose(f))
        err(1, "%s", path);
}

void sample_poke(const char *path, long at, char byte)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 || pwrite(fd, &byte, 1, at) != 1 || close(fd))
        err(1, "%s", path);
}

int sample_peek(const char *path, long at)
{
    uint8_t byte;
    int fd = open(path, O_RDONLY);
    int got = fd >= 0 && pread(fd, &byte, 1, at) == 1 ? byte : -1;

    if (fd >= 0)
        close(fd);
    return got;
}

unsigned sample_count(const char *folder, const char *pattern)
{
    char command[256];
    unsigned count = 0;
    FILE *out;

    snprintf(command, sizeof(command), "ls %s | grep -c -E -- '%s'", folder, pattern);
    out = popen(command, "r");
    if (!out || fscanf(out, "%u", &count) != 1)
        errx(1, "%s", command);
    pclose(out);
    return count;
}

void sample_files(const char *dir)
{
    static uint8_t kernel[SAMPLE_KERNEL_BYTES], initrd[5000];
    char text[4096];

    sample_kernel(kernel);
    sample_write(dir, "kernel", kernel, sizeof(kernel));
    sample_write(dir, "initrd", initrd, sizeof(initrd));
    sample_disk(dir);
    snprintf(text, sizeof(text),
             "{\"images\":[{\"id\":\"tiny\",\"name\":\"Tiny\",\"description\":\"a sample\",\"kernel\":\"%s/kernel\","
             "\"initrd\":\"%s/initrd\",\"cmdline\":\"console=hvc0\",\"memory_mib_min\":32},"
             "{\"id\":\"disk\",\"name\":\"Disk\",\"description\":\"with a disk\",\"disk\":\"%s/disk.raw\","
             "\"disk_mib_min\":40,\"memory_mib_min\":32},"
             "{\"id\":\"gone\",\"name\":\"Gone\",\"description\":\"not on this host\",\"disk\":\"%s/gone.raw\","
             "\"disk_mib_min\":40,\"memory_mib_min\":32}],\"boot_loader\":\"%s/kernel\",\"public_host\":\"192.0.2.1\","
             "\"forward_ports\":[22000,22003],\"disk\":{\"overcommit_percent\":100,\"reserve_mib\":1},"
             "\"quotas\":{\"instances_max\":50,\"volumes_max\":6,\"volume_mib_max\":400,\"snapshots_max\":3,"
             "\"forwards_max\":3},"
             "\"flavors\":[{\"id\":\"xs1\",\"name\":\"small\",\"vcpus\":1,\"memory_mib\":128,\"weight\":256,"
             "\"cap_percent\":0,\"disk_limit\":{\"ops_per_s\":100,\"bytes_per_s\":1000000,\"burst_ms\":500},"
             "\"net_limit\":{\"ops_per_s\":200,\"bytes_per_s\":0,\"burst_ms\":60000}},{\"id\":\"xs2\",\"name\":\"two\",\"vcpus\":2,\"memory_mib\":256,\"weight\":512,"
             "\"cap_percent\":150},{\"id\":\"huge\",\"name\":\"huge\",\"vcpus\":2,\"memory_mib\":65536,\"weight\":256,"
             "\"cap_percent\":0},{\"id\":\"nano\",\"name\":\"nano\",\"vcpus\":1,\"memory_mib\":16,\"weight\":256,"
             "\"cap_percent\":0}]}", dir, dir, dir, dir, dir);
    sample_write(dir, "catalog.json", text, strlen(text));
    for (const char *const *name = (const char *const[]){ "console", "run", "state", "volumes", NULL }; *name; name++) {
        snprintf(text, sizeof(text), "%s/%s", dir, *name);
        if (mkdir(text, 0700))
            err(1, "%s", text);
    }
}

static char made[64];
static pid_t maker;

static void remove_all(void)
{
    char command[128];

    if (getpid() != maker)
        return;
    snprintf(command, sizeof(command), "rm -rf '%s'", made);
    if (system(command))
        warnx("%s stays behind", made);
}

char *sample_dir(void)
{
    /* In memory where there is such a place: these tests sync thousands of times. */
    strcpy(made, access("/dev/shm", W_OK) == 0 ? "/dev/shm/xs-provisioner-XXXXXX" : "/tmp/xs-provisioner-XXXXXX");
    if (!mkdtemp(made))
        err(1, "%s", made);
    maker = getpid();
    atexit(remove_all);
    return made;
}
