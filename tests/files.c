/* files.c - reading the stored cases */
#define _POSIX_C_SOURCE 200809L /* mkdir, rmdir, unlink */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *open_file(const char *folder, const char *name, const char *mode)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n < 0 || (size_t)n >= sizeof path ? NULL : fopen(path, mode);
}

unsigned char *read_file(const char *folder, const char *name, size_t *size)
{
    FILE *file = open_file(folder, name, "rb");
    unsigned char *data = NULL;
    long end;
    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)end;
        data = (unsigned char *)malloc(*size + 1);
        if (data != NULL && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

int write_file(const char *folder, const char *name, const void *data, size_t size)
{
    FILE *file = open_file(folder, name, "wb");
    int good;
    if (file == NULL)
        return 0;
    good = fwrite(data, 1, size, file) == size;
    return (fclose(file) == 0) && good;
}

int make_folder(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");
    for (int i = 0; i < 1000; i++) {
        int n = snprintf(path, size, "%s/b2s6-tests-%ld-%d", parent ? parent : "/tmp", (long)getpid(), i);
        if (n < 0 || (size_t)n >= size)
            return 0;
        if (mkdir(path, 0700) == 0)
            return 1;
    }
    return 0;
}

int remove_folder(const char *path, const char *const *files, size_t n_files)
{
    int good = 1;
    for (size_t i = 0; i < n_files; i++) {
        char file[1024];
        int n = snprintf(file, sizeof file, "%s/%s", path, files[i]);
        good &= n > 0 && (size_t)n < sizeof file && unlink(file) == 0;
    }
    return rmdir(path) == 0 && good;
}

/* Turns the values (little-endian, width bytes each) into this machine's order. */
static void native_order(unsigned char *values, size_t count, size_t width)
{
    const uint16_t one = 1;
    if (*(const unsigned char *)&one == 1)
        return;
    for (unsigned char *v = values; v < values + count * width; v += width)
        for (size_t i = 0; i < width / 2; i++) {
            unsigned char kept = v[i];
            v[i] = v[width - 1 - i];
            v[width - 1 - i] = kept;
        }
}

int read_npy(npy *array, const char *folder, const char *name)
{
    size_t size, header, width;
    unsigned char *data = read_file(folder, name, &size);
    const char *type, *shape;
    char *end;
    if (data == NULL)
        return 0;
    header = size < 10 ? 0 : 10 + (size_t)data[8] + 256u * (size_t)data[9];
    if (header == 0 || header > size || memcmp(data, "\x93NUMPY\1", 7) != 0)
        goto refuse;
    data[header - 1] = 0;
    type = strstr((char *)data + 10, "'<");
    shape = strstr((char *)data + 10, "(");
    if (type == NULL || shape == NULL || strstr((char *)data + 10, "False") == NULL)
        goto refuse;
    array->type = type[2] == 'i' ? 'i' : type[3] == '4' ? 'f' : 'd';
    width = array->type == 'd' ? 8 : 4;
    array->rows = strtoul(shape + 1, &end, 10);
    array->cols = end[1] == ')' ? 1 : strtoul(end + 1, &end, 10);
    if (type[3] != (char)('0' + width) || size - header != array->rows * array->cols * width)
        goto refuse;
    memmove(data, data + header, size - header);
    native_order(data, array->rows * array->cols, width);
    array->values = data;
    return 1;
refuse:
    free(data);
    return 0;
}
