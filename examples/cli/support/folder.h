/* folder.h - files of a folder by their names */
#ifndef B2S6_CLI_FOLDER_H
#define B2S6_CLI_FOLDER_H

#include "file_bytes.h"
#include "message.h"

int folder_has(const char *folder, const char *name);

/* A whole file of a folder, to be released; an error names it. 0 or -1. */
int folder_read(file_bytes *file, const char *folder, const char *name, message *m);

#endif
