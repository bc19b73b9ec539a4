/* open_model.h - opens a model, and says in one line why that cannot be */
#ifndef B2S6_CLI_OPEN_MODEL_H
#define B2S6_CLI_OPEN_MODEL_H

#include "b2s6.h"
#include "message.h"

/* NULL on failure, with the line in m: what is wrong with the file, or what it is instead and what to do. */
b2s6_model *open_model(const char *path, const b2s6_open_options *options, message *m);

#endif
