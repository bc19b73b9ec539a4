/*
 * weight_files.h - the files that a checkpoint's tensors are in: one or several, safetensors or PyTorch's own
 *
 * They are mapped, and pages that have been read are let go of every few megabytes, so that memory does not grow with the
 * checkpoint.
 */
#ifndef B2S6_CLI_WEIGHT_FILES_H
#define B2S6_CLI_WEIGHT_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "../support/file_bytes.h"
#include "../support/message.h"
#include "pytorch.h"
#include "safetensors.h"
#include "tensor_source.h"

typedef struct weight_file {
    file_bytes data;
    int is_pytorch;
    safetensors safe;   /* whichever it is */
    pytorch torch;
} weight_file;

typedef struct weight_files {
    weight_file *files; /* (n_files) */
    size_t n_files;
    char **names;       /* (n_files), of their own */
    char where[64];
    tensor_source source;
    uint64_t read, kept; /* bytes of tensors: in all, and since pages were let go of */
    tensor_watch watch;  /* who is told further; read may be NULL */
} weight_files;

/* A folder's weights, by the names that Hugging Face and state-spaces give them. 0, or -1 with nothing to close. */
int weight_files_open_folder(weight_files *w, const char *folder, message *m);

/* One file, by name or in memory (which must live as long), of either kind; messages do without its name. */
int weight_files_open_file(weight_files *w, const char *path, message *m);
int weight_files_open_memory(weight_files *w, const unsigned char *bytes, size_t size, message *m);

void weight_files_close(weight_files *w);

/* Bytes of all tensors. */
uint64_t weight_files_bytes(const weight_files *w);

#endif
