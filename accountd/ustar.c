/* The archive, by pax(1)'s "ustar Interchange Format". Reading checks by
 * writing: each header is built again from what was read and compared. */
#include "accountd/ustar.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 512u
#define SIZE_MAX_BYTES 077777777777ll   /* 11 octal digits */

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag;
    char linkname[100], magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a ustar header is one block");

static size_t padded(size_t len)
{
    return (len + BLOCK - 1) / BLOCK * BLOCK;
}

/* `digits` octal digits; the field's last byte stays 0. */
static void put_octal(char *field, int digits, uint64_t value)
{
    for (int i = digits - 1; i >= 0; i--) {
        field[i] = (char)('0' + (value & 7));
        value >>= 3;
    }
}

static void make_header(struct header *h, const char *name, size_t len, int64_t mtime_s)
{
    const unsigned char *bytes = (const unsigned char *)h;
    unsigned sum = 0;

    memset(h, 0, sizeof(*h));
    memcpy(h->name, name, strlen(name));
    put_octal(h->mode, 7, 0644);
    put_octal(h->uid, 7, 0);
    put_octal(h->gid, 7, 0);
    put_octal(h->size, 11, len);
    put_octal(h->mtime, 11, (uint64_t)mtime_s);
    memset(h->chksum, ' ', sizeof(h->chksum));
    h->typeflag = '0';
    memcpy(h->magic, "ustar", 6);
    memcpy(h->version, "00", 2);
    put_octal(h->devmajor, 7, 0);
    put_octal(h->devminor, 7, 0);
    for (size_t i = 0; i < BLOCK; i++)
        sum += bytes[i];
    put_octal(h->chksum, 6, sum);
    h->chksum[6] = 0;
}

int ustar_add(struct ustar *tar, const char *name, char *bytes, size_t len)
{
    if (!bytes || strlen(name) >= USTAR_NAME_BYTES - 1 || len > SIZE_MAX_BYTES)
        goto fail;
    if (tar->count == tar->room) {
        size_t room = tar->room ? 2 * tar->room : 16;
        struct ustar_file *files = realloc(tar->files, room * sizeof(*files));

        if (!files)
            goto fail;
        tar->files = files;
        tar->room = room;
    }
    strcpy(tar->files[tar->count].name, name);
    tar->files[tar->count].bytes = bytes;
    tar->files[tar->count].len = len;
    tar->count++;
    return 0;
fail:
    free(bytes);
    return -1;
}

int ustar_add_text(struct ustar *tar, const char *name, char *text)
{
    return ustar_add(tar, name, text, text ? strlen(text) : 0);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct ustar_file *)a)->name, ((const struct ustar_file *)b)->name);
}

void ustar_sort(struct ustar *tar)
{
    if (tar->count)
        qsort(tar->files, tar->count, sizeof(tar->files[0]), compare_names);
}

const struct ustar_file *ustar_find(const struct ustar *tar, const char *name)
{
    size_t low = 0, high = tar->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, tar->files[middle].name);

        if (order == 0)
            return &tar->files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

int ustar_write(const struct ustar *tar, FILE *out)
{
    static const char zero[2 * BLOCK];

    for (size_t i = 0; i < tar->count; i++) {
        const struct ustar_file *file = &tar->files[i];
        size_t padding = padded(file->len) - file->len;
        struct header header;

        make_header(&header, file->name, file->len, tar->mtime_s);
        if (fwrite(&header, 1, BLOCK, out) != BLOCK || fwrite(file->bytes, 1, file->len, out) != file->len ||
            fwrite(zero, 1, padding, out) != padding)
            return -1;
    }
    return fwrite(zero, 1, sizeof(zero), out) == sizeof(zero) && fflush(out) == 0 ? 0 : -1;
}

char *ustar_pack(const struct ustar *tar, size_t *len)
{
    char *archive = NULL;
    FILE *out = open_memstream(&archive, len);
    int rc = out ? ustar_write(tar, out) : -1;

    if (out && fclose(out) == 0 && rc == 0)
        return archive;
    free(archive);
    return NULL;
}

static bool get_octal(const char *field, int digits, int64_t *out)
{
    int64_t value = 0;

    for (int i = 0; i < digits; i++) {
        if (field[i] < '0' || field[i] > '7')
            return false;
        value = value << 3 | (field[i] - '0');
    }
    *out = value;
    return true;
}

static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

/* Reads the entry at *at and moves past it. The text of what is wrong, or NULL. */
static const char *take_entry(const char *archive, size_t len, size_t *at, struct ustar *tar)
{
    const struct header *h = (const struct header *)(archive + *at);
    char name[USTAR_NAME_BYTES] = { 0 }, *bytes;
    struct header again;
    int64_t size, mtime_s;

    memcpy(name, h->name, sizeof(h->name));
    if (!get_octal(h->size, 11, &size) || !get_octal(h->mtime, 11, &mtime_s) || strlen(name) > 99)
        return "bad entry header";
    make_header(&again, name, (size_t)size, mtime_s);
    if (memcmp(&again, h, sizeof(again)) != 0)
        return "entry header is not in the one form allowed";
    if (tar->count && mtime_s != tar->mtime_s)
        return "entries differ in time";
    if (tar->count && strcmp(tar->files[tar->count - 1].name, name) >= 0)
        return "names are not in order, or one appears twice";
    tar->mtime_s = mtime_s;
    *at += BLOCK;
    if ((size_t)size > len - *at || padded((size_t)size) > len - *at)
        return "cut short";
    if (!is_zero(archive + *at + size, padded((size_t)size) - (size_t)size))
        return "padding is not zero";
    bytes = calloc(1, (size_t)size + 1);
    if (bytes)
        memcpy(bytes, archive + *at, (size_t)size);
    *at += padded((size_t)size);
    return ustar_add(tar, name, bytes, (size_t)size) ? "out of memory" : NULL;
}

int ustar_unpack(const char *archive, size_t len, struct ustar *tar, struct json_why *why)
{
    const char *wrong = NULL;
    size_t at = 0;

    *tar = (struct ustar){ 0 };
    while (!wrong && len - at >= BLOCK && !is_zero(archive + at, BLOCK))
        wrong = take_entry(archive, len, &at, tar);
    if (!wrong && (len - at != 2 * BLOCK || !is_zero(archive + at, 2 * BLOCK)))
        wrong = "does not end with two zero blocks";
    if (!wrong)
        return 0;
    snprintf(why->text, sizeof(why->text), "tar: %s (at byte %zu)", wrong, at);
    ustar_free(tar);
    return -1;
}

void ustar_free(struct ustar *tar)
{
    for (size_t i = 0; i < tar->count; i++)
        free(tar->files[i].bytes);
    free(tar->files);
    *tar = (struct ustar){ 0 };
}
