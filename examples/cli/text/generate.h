/* generate.h - text that a language model makes up, as it comes */
#ifndef B2S6_CLI_GENERATE_H
#define B2S6_CLI_GENERATE_H

#include <stdint.h>

#include "b2s6.h"
#include "../support/message.h"
#include "text_model.h"
#include "text_output.h"

typedef struct generate_job {
    const text_model *model;
    const b2s6_parallel *parallel; /* threads to work on, or NULL */
    const void *prompt;            /* (prompt_size) */
    size_t prompt_size;
    int plain;                     /* control tokens that are written out in the prompt are mere text */
    uint64_t n;                    /* tokens to add at most */
    b2s6_sampling how;             /* but for its recent tokens */
    const uint64_t *seed;          /* NULL: that of the conversation, or 1 */
    const char *state_path;        /* a conversation that goes on and is saved; NULL: none */
} generate_job;

/* What it took. */
typedef struct generate_report {
    uint64_t n_prompt, n_added;    /* tokens */
    double prompt_seconds;         /* until the first token could be drawn */
    double seconds;                /* all that came after that */
} generate_report;

/* Writes the prompt and what follows it. 0 or -1; what was written until then stays written. */
int generate(const generate_job *job, text_output *out, generate_report *report, message *m);

#endif
