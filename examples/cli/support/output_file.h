/*
 * output_file.h - a file that appears complete or not at all
 *
 * It is written beside its final name and renamed when it is whole; until then a file that was there stays as it is.
 * What is not a regular file (a pipe, /dev/stdout) is written directly.
 */
#ifndef B2S6_CLI_OUTPUT_FILE_H
#define B2S6_CLI_OUTPUT_FILE_H

#include <stdio.h>

#include "message.h"

typedef struct output {
    FILE *stream;
    char *path;       /* with symbolic links followed */
    char *temporary;  /* NULL when written directly */
} output;

/* 0 or -1. After success one of the other two must follow. Only one output can be open at a time. */
int output_open(output *o, const char *path, message *m);
int output_close(output *o, message *m);
void output_abandon(output *o);

#endif
