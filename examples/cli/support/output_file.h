/*
 * output_file.h - a file that appears complete or not at all
 *
 * It is written beside its final name and renamed when it is whole; until then a file that was there stays as it is.
 * A symbolic link stays one, and what it leads to is written, whether it is there or not. What is not a regular file (a pipe,
 * /dev/stdout) is written directly. Any signal that ends the program takes the unfinished file away; the program still ends
 * by that signal. SIGXFSZ is ignored from here on: a file that may not grow is an error of the write.
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
