/* main.c - b2s6, the command line program: finds the verb and runs it */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/cli.h"

static const cli_verb *const verbs[] = { &verb_convert, &verb_info, &verb_run, &verb_demo,
                                        &verb_score, &verb_generate, &verb_compress, &verb_decompress,
                                        &verb_bench, &verb_embed };

#define N_VERBS (sizeof verbs / sizeof verbs[0])

static void print_help(void)
{
    printf("usage: b2s6 VERB ...\n\nRuns B2S6 state-space models.\n\n");
    for (size_t i = 0; i < N_VERBS; i++)
        printf("  %-10s  %s\n", verbs[i]->name, verbs[i]->summary);
    printf("\n  b2s6 VERB --help    what a verb takes\n"
           "  b2s6 --version      the version of the library\n\n"
           "Exit status: 0, 1 if something failed, 2 if the arguments are wrong.\n");
}

/* Output that could not be written is a failure too: a full disk, a closed pipe. */
static int finish(int status)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0)
        return cli_fail("standard output: %s", strerror(errno));
    return status;
}

static int asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

static int run_verb(const cli_verb *verb, int argc, char **argv)
{
    if (!asks_for_help(argc, argv))
        return verb->run(argc, argv);
    fputs(verb->help, stdout);
    return 0;
}

/* A standard stream that the caller has closed stays unusable: else the next file opened would take its place. */
static void keep_closed_streams_closed(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

int main(int argc, char **argv)
{
    keep_closed_streams_closed();
    if (argc < 2)
        return cli_usage(NULL, "no verb");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return finish(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("b2s6 %s\n", b2s6_version_text());
        return finish(0);
    }
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(argv[1], verbs[i]->name) == 0)
            return finish(run_verb(verbs[i], argc - 2, argv + 2));
    return cli_usage(NULL, "there is no verb %.100s", argv[1]);
}
