/*
 * open_model.c - opens a model, and says in one line why that cannot be
 *
 * The library knows no system's errors and no other file formats; the program does.
 */
#define _POSIX_C_SOURCE 200809L

#include "open_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "file_kind.h"

/* Why the system does not give the file: in its own words, as for every other file. 0 if it does. */
static int refused_by_system(const char *path, message *m)
{
    struct stat status;
    FILE *file;
    if (stat(path, &status) != 0)
        return complain(m, "%s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return complain(m, "%s; b2s6 convert makes a .b2s6 file of a Hugging Face folder", strerror(EISDIR));
    file = S_ISREG(status.st_mode) ? fopen(path, "rb") : NULL; /* of a pipe that would wait */
    if (S_ISREG(status.st_mode) && !file)
        return complain(m, "%s", strerror(errno));
    if (file)
        fclose(file);
    return 0;
}

static void explain(const char *path, const b2s6_error *error, message *m)
{
    file_kind kind = { NULL, NULL, 0 };
    if (error->status == B2S6_ERROR_FILE && refused_by_system(path, m) != 0)
        return;
    if (error->status == B2S6_ERROR_MAGIC)
        kind = file_kind_of_path(path);
    if (kind.what)
        complain(m, "not a .b2s6 file but %s: %s", kind.what, kind.advice);
    else if (error->offset > 0)
        complain(m, "%s (byte %llu)", error->message, (unsigned long long)error->offset);
    else
        complain(m, "%s", error->message);
}

b2s6_model *open_model(const char *path, const b2s6_open_options *options, message *m)
{
    b2s6_model *model;
    b2s6_error error;
    if (b2s6_model_open_file(&model, path, options, &error) == B2S6_OK)
        return model;
    explain(path, &error, m);
    return NULL;
}
