/* files.h - reading the stored cases: whole files, and .npy arrays */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <stddef.h>
#include <stdint.h>

/* The file's bytes, from malloc, or NULL. Further parts of the path are joined with '/'. */
unsigned char *read_file(const char *folder, const char *name, size_t *size);
int write_file(const char *folder, const char *name, const void *data, size_t size);

/* A new, empty folder for this process, to be removed with remove_folder once the named files in it are. 0 on failure. */
int make_folder(char *path, size_t size);
int remove_folder(const char *path, const char *const *files, size_t n_files);

/* An array of two dimensions; one dimension counts as (rows, 1). type is 'i' (int32), 'f' (float32) or 'd' (float64). */
typedef struct npy {
    char type;
    size_t rows, cols;
    void *values; /* from malloc */
} npy;

/* 0 if the file is not there or is of another kind. For files that the project itself made. */
int read_npy(npy *array, const char *folder, const char *name);

#endif
