/* cli.h - what the verbs of the command line program share: arguments, errors, help */
#ifndef B2S6_CLI_CLI_H
#define B2S6_CLI_CLI_H

#include <stddef.h>

#include "b2s6.h"

/* Exit statuses besides 0. */
enum { CLI_FAILED = 1, CLI_USAGE = 2 };

/* One verb: `b2s6 NAME ...`. run gets the arguments after the name and returns the exit status. */
typedef struct cli_verb {
    const char *name;
    const char *summary;  /* one line for `b2s6 --help` */
    const char *help;     /* what `b2s6 NAME --help` prints */
    int (*run)(int argc, char **argv);
} cli_verb;

extern const cli_verb verb_convert, verb_info, verb_run, verb_demo, verb_score, verb_generate, verb_compress,
    verb_decompress, verb_bench, verb_embed, verb_tokenize;

/* A type of weights as --type calls it. */
const char *cli_type_name(b2s6_type type);

/* An option: with a value, `--chunk N` or `--chunk=N`, or, if value is NULL, without one, `--json`. */
typedef struct cli_option {
    const char *name;    /* with its dashes */
    const char **value;
    int *given;          /* set to 1; may be NULL if value is not */
} cli_option;

/*
 * Sorts arguments into options and operands (n_operands, all of them required). `--` ends the options. Returns 0, or
 * CLI_USAGE with the error printed.
 */
int cli_parse(const cli_verb *verb, int argc, char **argv, const cli_option *options, size_t n_options,
              const char **operands, size_t n_operands);

/*
 * Takes an option that may be given several times out of the arguments, before cli_parse: values (argc) gets each value, in
 * order, *n their number. Returns 0, or CLI_USAGE with the error printed.
 */
int cli_take_repeated(const cli_verb *verb, const char *name, int *argc, char **argv, const char **values, size_t *n);

/* Print one line on stderr and return the exit status, CLI_FAILED or CLI_USAGE. Control characters come out as '?'. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int cli_fail(const char *format, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int cli_usage(const cli_verb *verb, const char *format, ...);

/* Opens a model with all its checks, for an instruction set or (NULL) the best. NULL, with the error printed. */
b2s6_model *cli_open_model(const char *path);
b2s6_model *cli_open_model_for(const char *path, const char *isa);

/* Whether both names lead to one file. */
int cli_same_file(const char *a, const char *b);

#endif
