/* file_bytes.c - maps a file, or reads it to its end where it cannot be mapped */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* madvise */

#include "file_bytes.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Whatever cannot be mapped is read to its end. */
static int read_all(file_bytes *file, FILE *stream)
{
    size_t room = 1 << 16;
    unsigned char *bytes = malloc(room);
    while (bytes) {
        file->memory = bytes;
        file->bytes = bytes;
        file->size += fread(bytes + file->size, 1, room - file->size, stream);
        if (file->size < room)
            return ferror(stream) ? -1 : 0;
        if (room > SIZE_MAX / 2)
            break;
        room *= 2;
        bytes = realloc(bytes, room);
    }
    errno = ENOMEM;
    return -1;
}

static int map(file_bytes *file, FILE *stream)
{
    struct stat status;
    void *mapping;
    if (fstat(fileno(stream), &status) != 0)
        return -1;
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    if (S_ISREG(status.st_mode) && status.st_size > 0 && (unsigned long long)status.st_size <= SIZE_MAX) {
        mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fileno(stream), 0);
        if (mapping != MAP_FAILED) {
            file->mapping = mapping;
            file->bytes = mapping;
            file->size = (size_t)status.st_size;
            return 0;
        }
    }
    return read_all(file, stream);
}

int file_bytes_read(file_bytes *file, const char *path, message *m)
{
    FILE *stream = fopen(path, "rb");
    int failed;
    memset(file, 0, sizeof *file);
    if (!stream)
        return complain(m, "%s", strerror(errno));
    failed = map(file, stream);
    if (failed) {
        complain(m, "%s", strerror(errno));
        file_bytes_release(file);
    }
    fclose(stream);
    return failed;
}

void file_bytes_let_go(const file_bytes *file)
{
#ifdef MADV_DONTNEED
    if (file->mapping)
        (void)madvise(file->mapping, file->size, MADV_DONTNEED); /* only to the kernel's profit: the pages are the file's */
#else
    (void)file;
#endif
}

void file_bytes_release(file_bytes *file)
{
    if (file->mapping)
        munmap(file->mapping, file->size);
    free(file->memory);
    memset(file, 0, sizeof *file);
}
