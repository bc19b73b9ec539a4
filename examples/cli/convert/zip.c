/* zip.c - see zip.h: the end record, the central directory, and each entry's own header */
#include "zip.h"

#include <stdlib.h>
#include <string.h>

/* Sizes of the records without their names and extra fields, and where in them fields are. */
enum {
    END_BYTES = 22, END_AT_DISK = 4, END_AT_HERE = 8, END_AT_COUNT = 10, END_AT_SIZE = 12, END_AT_OFFSET = 16,
    END_AT_COMMENT = 20,
    END64_BYTES = 56, END64_AT_COUNT = 32, END64_AT_SIZE = 40, END64_AT_OFFSET = 48,
    LOCATOR_BYTES = 20, LOCATOR_AT_OFFSET = 8,
    ENTRY_BYTES = 46, ENTRY_AT_FLAGS = 8, ENTRY_AT_METHOD = 10, ENTRY_AT_COMPRESSED = 20, ENTRY_AT_BYTES = 24,
    ENTRY_AT_NAME = 28, ENTRY_AT_EXTRA = 30, ENTRY_AT_COMMENT = 32, ENTRY_AT_OFFSET = 42,
    LOCAL_BYTES = 30, LOCAL_AT_FLAGS = 6, LOCAL_AT_METHOD = 8, LOCAL_AT_NAME = 26, LOCAL_AT_EXTRA = 28,
    COMMENT_MAX = 65535, FLAGS_ENCRYPTED = 1 | 1 << 6 | 1 << 13, EXTRA_ZIP64 = 1
};

static uint64_t get(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

static int is_record(const unsigned char *bytes, int a, int b)
{
    return bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == a && bytes[3] == b;
}

/* The central directory, as the records at the end say. */
typedef struct directory {
    uint64_t offset, size, count;
} directory;

static int not_zip(message *m)
{
    return complain(m, "not a whole zip archive: its end is missing or damaged; copy or download the file again");
}

/* The end record at `at`, and before it zip64's, whose numbers count where the old ones have no room for them. */
static int read_end(directory *d, const unsigned char *bytes, size_t at, message *m)
{
    const unsigned char *end = bytes + at, *end64;
    uint64_t offset;
    d->count = get(end + END_AT_COUNT, 2);
    d->size = get(end + END_AT_SIZE, 4);
    d->offset = get(end + END_AT_OFFSET, 4);
    if (get(end + END_AT_DISK, 4) != 0 || get(end + END_AT_HERE, 2) != d->count)
        return complain(m, "a zip archive in several parts: put it together first");
    if (at < LOCATOR_BYTES || !is_record(end - LOCATOR_BYTES, 6, 7))
        return d->count == 0xffff || d->size == 0xffffffff || d->offset == 0xffffffff ? not_zip(m) : 0;
    offset = get(end - LOCATOR_BYTES + LOCATOR_AT_OFFSET, 8);
    if (at - LOCATOR_BYTES < END64_BYTES || offset > at - LOCATOR_BYTES - END64_BYTES || !is_record(bytes + offset, 6, 6))
        return not_zip(m);
    end64 = bytes + offset;
    if ((d->count != 0xffff && d->count != get(end64 + END64_AT_COUNT, 8)) ||
        (d->size != 0xffffffff && d->size != get(end64 + END64_AT_SIZE, 8)) ||
        (d->offset != 0xffffffff && d->offset != get(end64 + END64_AT_OFFSET, 8)))
        return complain(m, "a zip archive whose two ends disagree: save it again");
    d->count = get(end64 + END64_AT_COUNT, 8);
    d->size = get(end64 + END64_AT_SIZE, 8);
    d->offset = get(end64 + END64_AT_OFFSET, 8);
    return d->offset > offset || d->size > offset - d->offset ? not_zip(m) : 0;
}

/* The last record of the archive, which ends with a comment of a size of its own. */
static int find_directory(directory *d, const unsigned char *bytes, size_t size, message *m)
{
    for (size_t back = END_BYTES; back <= size && back <= END_BYTES + COMMENT_MAX; back++) {
        const size_t at = size - back;
        if (!is_record(bytes + at, 5, 6) || get(bytes + at + END_AT_COMMENT, 2) != back - END_BYTES)
            continue;
        if (read_end(d, bytes, at, m) != 0)
            return -1;
        if (d->offset > at || d->size > at - d->offset)
            return not_zip(m);
        return d->count > ZIP_ENTRIES_MAX ? complain(m, "a zip archive of more than %d files", ZIP_ENTRIES_MAX) : 0;
    }
    return not_zip(m);
}

/* What the 32 bits of a central entry have no room for stands in the extra field of zip64, in this order. */
static int widen(uint64_t *fields[3], const unsigned char *extra, size_t size)
{
    while (size >= 4) {
        const size_t id = (size_t)get(extra, 2), n = (size_t)get(extra + 2, 2);
        size_t used = 0;
        if (n > size - 4)
            return 0;
        for (size_t i = 0; id == EXTRA_ZIP64 && i < 3; i++) {
            if (*fields[i] != 0xffffffff)
                continue;
            if (n - used < 8)
                return 0;
            *fields[i] = get(extra + 4 + used, 8);
            used += 8;
        }
        if (id == EXTRA_ZIP64)
            return 1;
        extra += 4 + n;
        size -= 4 + n;
    }
    return *fields[0] != 0xffffffff && *fields[1] != 0xffffffff && *fields[2] != 0xffffffff;
}

/* The entry's own header, whose name must be the directory's and after which the data begin. limit: where the directory is. */
static int read_local(zip_entry *e, const unsigned char *bytes, uint64_t offset, uint64_t size, uint64_t limit, message *m)
{
    const int width = (int)(e->name_size < 80 ? e->name_size : 80);
    const unsigned char *local = bytes + offset;
    uint64_t head;
    if (limit < LOCAL_BYTES || offset > limit - LOCAL_BYTES || !is_record(local, 3, 4))
        return complain(m, "entry %.*s of the zip archive reaches outside it: copy or download the file again", width, e->name);
    head = LOCAL_BYTES + get(local + LOCAL_AT_NAME, 2) + get(local + LOCAL_AT_EXTRA, 2);
    if (head > limit - offset || size > limit - offset - head)
        return complain(m, "entry %.*s of the zip archive reaches outside it: copy or download the file again", width, e->name);
    if (get(local + LOCAL_AT_FLAGS, 2) & FLAGS_ENCRYPTED || get(local + LOCAL_AT_METHOD, 2) != 0 ||
        get(local + LOCAL_AT_NAME, 2) != e->name_size || memcmp(local + LOCAL_BYTES, e->name, e->name_size) != 0)
        return complain(m, "entry %.*s of the zip archive is another in its own header: save the file again", width, e->name);
    e->begin = (size_t)offset;
    e->end = (size_t)(offset + head + size);
    e->data = local + head;
    e->size = (size_t)size;
    return 0;
}

/* One entry of the directory, of which left bytes remain; the bytes it takes, or 0 with the line in m. */
static size_t read_entry(zip_entry *e, const unsigned char *bytes, const unsigned char *entry, size_t left, uint64_t limit,
                         message *m)
{
    uint64_t compressed, size, offset, *fields[3] = { &size, &compressed, &offset };
    size_t extra, all;
    int width;
    if (left < ENTRY_BYTES || !is_record(entry, 1, 2)) {
        not_zip(m);
        return 0;
    }
    e->name_size = (size_t)get(entry + ENTRY_AT_NAME, 2);
    extra = (size_t)get(entry + ENTRY_AT_EXTRA, 2);
    all = ENTRY_BYTES + e->name_size + extra + (size_t)get(entry + ENTRY_AT_COMMENT, 2);
    if (all > left) {
        not_zip(m);
        return 0;
    }
    e->name = (const char *)entry + ENTRY_BYTES;
    width = (int)(e->name_size < 80 ? e->name_size : 80);
    compressed = get(entry + ENTRY_AT_COMPRESSED, 4);
    size = get(entry + ENTRY_AT_BYTES, 4);
    offset = get(entry + ENTRY_AT_OFFSET, 4);
    if (!widen(fields, entry + ENTRY_BYTES + e->name_size, extra))
        complain(m, "entry %.*s of the zip archive has a damaged extra field: save the file again", width, e->name);
    else if (get(entry + ENTRY_AT_FLAGS, 2) & FLAGS_ENCRYPTED)
        complain(m, "entry %.*s of the zip archive is encrypted: decrypt it first", width, e->name);
    else if (get(entry + ENTRY_AT_METHOD, 2) != 0 || compressed != size)
        complain(m, "entry %.*s of the zip archive is compressed, which PyTorch never does: load the model and save it "
                    "again", width, e->name);
    else if (read_local(e, bytes, offset, size, limit, m) == 0)
        return all;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const zip_entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_name(const void *a, const void *b)
{
    const zip_entry *x = a, *y = b;
    const size_t least = x->name_size < y->name_size ? x->name_size : y->name_size;
    const int order = least ? memcmp(x->name, y->name, least) : 0;
    return order ? order : x->name_size < y->name_size ? -1 : x->name_size > y->name_size;
}

/* No byte belongs to two entries, no name to two. Leaves them sorted for the look-ups. */
static int check_whole(zip *z, message *m)
{
    if (z->n_entries > 0)
        qsort(z->entries, z->n_entries, sizeof *z->entries, by_place);
    for (size_t i = 1; i < z->n_entries; i++)
        if (z->entries[i].begin < z->entries[i - 1].end)
            return complain(m, "entry %.*s of the zip archive overlaps another: save the file again",
                            (int)(z->entries[i].name_size < 80 ? z->entries[i].name_size : 80), z->entries[i].name);
    if (z->n_entries > 0)
        qsort(z->entries, z->n_entries, sizeof *z->entries, by_name);
    for (size_t i = 1; i < z->n_entries; i++)
        if (by_name(&z->entries[i - 1], &z->entries[i]) == 0)
            return complain(m, "entry %.*s is twice in the zip archive: save the file again",
                            (int)(z->entries[i].name_size < 80 ? z->entries[i].name_size : 80), z->entries[i].name);
    return 0;
}

static int read_directory(zip *z, const directory *d, const unsigned char *bytes, message *m)
{
    const unsigned char *at = bytes + d->offset;
    size_t left = (size_t)d->size;
    while (z->n_entries < d->count) {
        size_t taken = read_entry(&z->entries[z->n_entries], bytes, at, left, d->offset, m);
        if (taken == 0)
            return -1;
        at += taken;
        left -= taken;
        z->n_entries++;
    }
    return left != 0 ? not_zip(m) : check_whole(z, m);
}

int zip_open(zip *z, const unsigned char *bytes, size_t size, message *m)
{
    directory d = { 0, 0, 0 };
    memset(z, 0, sizeof *z);
    if (find_directory(&d, bytes, size, m) != 0)
        return -1;
    if (d.count > d.size / ENTRY_BYTES)
        return not_zip(m);
    z->entries = calloc((size_t)d.count + 1, sizeof *z->entries);
    if (!z->entries)
        return complain(m, "out of memory");
    if (read_directory(z, &d, bytes, m) == 0)
        return 0;
    zip_close(z);
    return -1;
}

void zip_close(zip *z)
{
    free(z->entries);
    z->entries = NULL;
    z->n_entries = 0;
}

const zip_entry *zip_find(const zip *z, const char *name, size_t name_size)
{
    zip_entry key;
    key.name = name;
    key.name_size = name_size;
    return z->n_entries == 0 ? NULL : bsearch(&key, z->entries, z->n_entries, sizeof key, by_name);
}
