/* folder.c - see folder.h */
#define _POSIX_C_SOURCE 200809L

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* folder/name as a path of its own, from malloc; NULL without memory. */
static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

int folder_has(const char *folder, const char *name)
{
    struct stat status;
    char *path = join(folder, name);
    int found = path && stat(path, &status) == 0;
    free(path);
    return found;
}

int folder_read(file_bytes *file, const char *folder, const char *name, message *m)
{
    char inner_text[200] = "out of memory";
    message inner = { inner_text, sizeof inner_text };
    char *path = join(folder, name);
    int failed = !path || file_bytes_read(file, path, &inner) != 0;
    free(path);
    return failed ? complain(m, "%.100s: %s", name, inner_text) : 0;
}
