/* main.c - b2s6, the command line program: finds the verb and runs it */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/cli.h"
#include "support/nearest.h"
#include "support/reflow.h"
#include "support/terminal.h"

static const cli_verb *const verbs[] = { &verb_convert, &verb_info, &verb_run, &verb_demo,
                                        &verb_tokenize, &verb_score, &verb_generate, &verb_compress, &verb_decompress,
                                        &verb_bench, &verb_embed };

#define N_VERBS (sizeof verbs / sizeof verbs[0])

/* How people ask for these without a verb. */
static const char *const help_words[] = { "help", "--help", "-h", NULL };
static const char *const version_words[] = { "version", "--version", "-V", NULL };

static int is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static void print_help(FILE *out)
{
    const size_t columns = terminal_columns(fileno(out));
    char text[4000];
    size_t n = (size_t)snprintf(text, sizeof text, "usage: b2s6 VERB ...\n\nRuns B2S6 state-space models.\n\n");
    for (size_t i = 0; i < N_VERBS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "  %-10s  %s\n", verbs[i]->name, verbs[i]->summary);
    snprintf(text + n, sizeof text - n, "\n"
             "  b2s6 help VERB  what a verb takes; also b2s6 VERB --help\n"
             "  b2s6 version    the version of the program and its library\n\n"
             "Exit status: 0, 1 if something failed, 2 if the arguments are wrong.\n");
    reflow_help(out, text, columns);
}

/* The program's own version; its library's too if that is another one: the newest that is installed is loaded. */
static void print_version(void)
{
    const unsigned long own = 10000ul * B2S6_VERSION_MAJOR + 100ul * B2S6_VERSION_MINOR + B2S6_VERSION_PATCH;
    printf("b2s6 %d.%d.%d", B2S6_VERSION_MAJOR, B2S6_VERSION_MINOR, B2S6_VERSION_PATCH);
    if (b2s6_version() != own)
        printf(" with libb2s6 %s", b2s6_version_text());
    putchar('\n');
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
    reflow_help(stdout, verb->help, terminal_columns(STDOUT_FILENO));
    return 0;
}

static const cli_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(name, verbs[i]->name) == 0)
            return verbs[i];
    return NULL;
}

/* A word that is no verb: the error says what may have been meant. */
static int unknown_verb(const char *name)
{
    const size_t length = strlen(name);
    const char *nearest = NULL;
    int distance = NEAREST_FAR;
    for (size_t i = 0; i < N_VERBS; i++)
        if (nearest_distance(name, verbs[i]->name) < distance) {
            nearest = verbs[i]->name;
            distance = nearest_distance(name, nearest);
        }
    if (nearest)
        return cli_usage(NULL, "there is no verb %.100s; did you mean %s?", name, nearest);
    if (length > 5 && strcmp(name + length - 5, ".b2s6") == 0)
        return cli_usage(NULL, "%.200s is no verb; 'b2s6 info %.200s' says what the model is", name, name);
    return cli_usage(NULL, "there is no verb %.100s", name);
}

/* `b2s6 help`, `b2s6 help VERB` */
static int help(int argc, char **argv)
{
    const cli_verb *verb = argc > 0 ? find_verb(argv[0]) : NULL;
    if (argc > 1)
        return cli_usage(NULL, "help: one argument too many: %.200s", argv[1]);
    if (argc == 1 && !verb && !is_one_of(argv[0], help_words) && !is_one_of(argv[0], version_words))
        return unknown_verb(argv[0]);
    if (verb)
        reflow_help(stdout, verb->help, terminal_columns(STDOUT_FILENO));
    else
        print_help(stdout);
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
    const cli_verb *verb;
    keep_closed_streams_closed();
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (is_one_of(argv[1], help_words))
        return finish(help(argc - 2, argv + 2));
    if (is_one_of(argv[1], version_words)) {
        print_version();
        return finish(0);
    }
    verb = find_verb(argv[1]);
    return verb ? finish(run_verb(verb, argc - 2, argv + 2)) : unknown_verb(argv[1]);
}
