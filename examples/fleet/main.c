/* main.c - the program fleet: verbs and options (docs/fleet.md) */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "layout.h"
#include "store.h"

static const char usage[] =
    "usage: fleet VERB --store ADDRESS --model MODEL.b2s6 [options]\n"
    "  worker     takes events, steps their streams, puts outputs and states into the store\n"
    "  produce    sends made-up events\n"
    "  check      compares what is in the store with one process that takes the same events in order\n"
    "  direct     steps the same events without any store, for the time it takes\n"
    "ADDRESS: a port, HOST:PORT, or the path of a socket\n"
    "  --partitions N   into which streams are dealt out (12)\n"
    "worker:\n"
    "  --name NAME      by which the others know it (worker-PID)\n"
    "  --states N       in its memory at most (4096)\n"
    "  --round N        events it takes at once, at most (4096)\n"
    "  --every N        a state is stored after so many events of its stream (256)\n"
    "  --window N       or so many of its partition (100000): the most that is replayed\n"
    "  --lease MS       after which a silent worker's partitions go to others (5000)\n"
    "  --trim           events that no replay needs are deleted from the log\n"
    "  --pass           no steps: events go through, for comparison\n"
    "produce, check, direct: which events\n"
    "  --streams N (10000)  --events N (100000)  --seed N (1)  --bad N, one in so many is bad (0: none)\n"
    "  --rate N         produce: events a second (0: as fast as it goes)\n";

int fleet_fail(const char *reason)
{
    fprintf(stderr, "fleet: %s\n", reason);
    return EXIT_FAILURE;
}

static int fail_with(const char *reason, const char *what)
{
    fprintf(stderr, "fleet: %s: %s\n", what, reason);
    return EXIT_FAILURE;
}

struct option {
    const char *name;
    const char **text;       /* one of the three is not NULL: a text, a number in its bounds, a flag */
    uint64_t *number;
    uint64_t least, most;
    int *flag;
};

static int take_option(const struct option *option, const char *value)
{
    if (option->flag)
        *option->flag = 1;
    else if (!value)
        return fail_with("needs a value", option->name);
    else if (option->text)
        *option->text = value;
    else if (!layout_parse_number(option->number, value, strlen(value)) || *option->number < option->least
             || *option->number > option->most)
        return fail_with("a whole number, please, that is not too small or too large", option->name);
    return EXIT_SUCCESS;
}

static int take_options(int argc, char **argv, struct fleet_options *o)
{
    const struct option options[] = {
        { "--store", &o->store, NULL, 0, 0, NULL },           { "--model", &o->model, NULL, 0, 0, NULL },
        { "--name", &o->name, NULL, 0, 0, NULL },
        { "--partitions", NULL, &o->partitions_given, 1, MAX_PARTITIONS, NULL },
        { "--states", NULL, &o->states, 1, 100000000, NULL }, { "--round", NULL, &o->round, 1, 1000000, NULL },
        { "--every", NULL, &o->every, 1, UINT32_MAX, NULL },  { "--window", NULL, &o->window, 1, UINT32_MAX, NULL },
        { "--lease", NULL, &o->lease_given, 20, 3600000, NULL },
        { "--streams", NULL, &o->streams, 1, UINT32_MAX, NULL }, { "--events", NULL, &o->events, 1, UINT32_MAX, NULL },
        { "--seed", NULL, &o->seed, 0, UINT32_MAX, NULL },    { "--bad", NULL, &o->bad, 0, UINT32_MAX, NULL },
        { "--rate", NULL, &o->rate, 0, 100000000, NULL },
        { "--pass", NULL, NULL, 0, 0, &o->pass },             { "--trim", NULL, NULL, 0, 0, &o->trim },
    };
    const size_t n = sizeof options / sizeof *options;

    for (int i = 2; i < argc; i++) {
        size_t k = 0;

        while (k < n && strcmp(options[k].name, argv[i]) != 0)
            k++;
        if (k == n)
            return fail_with("no such option; fleet alone lists them", argv[i]);
        if (take_option(&options[k], i + 1 < argc ? argv[i + 1] : NULL) != EXIT_SUCCESS)
            return EXIT_FAILURE;
        i += options[k].flag == NULL;
    }
    o->partitions = (int)o->partitions_given;
    o->lease = (unsigned)o->lease_given;
    return EXIT_SUCCESS;
}

static void stop(int number)
{
    (void)number;
    store_stop = 1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct fleet_options *, b2s6_model *, const b2s6_model_info *);
    } verbs[] = { { "worker", worker_run }, { "produce", producer_run }, { "check", checker_run }, { "direct", direct_run } };
    struct fleet_options options = { NULL, NULL, NULL, 12, 5000, 0, 0, 4096, 4096, 256, 100000, 10000, 100000, 1, 0, 0, 0, 0 };
    b2s6_model_info info = { .struct_size = sizeof info };
    struct sigaction ending = { 0 };
    b2s6_model *model;
    b2s6_error error;
    size_t verb = 0;
    int status;

    while (argc > 1 && verb < 4 && strcmp(argv[1], verbs[verb].name) != 0)
        verb++;
    if (argc < 2 || verb == 4) {
        fputs(usage, argc < 2 ? stdout : stderr);
        return argc < 2 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (take_options(argc, argv, &options) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    if (!options.model || (!options.store && verb != 3))
        return fleet_fail("which --store, and which --model?");
    if (!options.name)
        options.name = "worker";
    ending.sa_handler = stop;
    sigaction(SIGTERM, &ending, NULL);
    sigaction(SIGINT, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);                /* a connection that breaks is an error of a call */
    if (b2s6_model_open_file(&model, options.model, NULL, &error) != B2S6_OK)
        return fail_with(error.message, options.model);
    b2s6_model_describe(model, &info);
    status = verbs[verb].run(&options, model, &info);
    b2s6_model_close(model);
    return status;
}
