/*
 * checker.c - one process that takes all events in order, and compares what it gets with what the fleet has put into the store
 *
 * Event for event and bit for bit: a partition's outputs must be those of its good events, in their order, its dead letters
 * those of its bad ones with the reasons, and nothing more. It steps one stream at a time, where the workers step batches.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet.h"
#include "layout.h"
#include "store.h"
#include "traffic.h"

enum { PAGE = 16 };

/* A reader of one partition's outputs or dead letters, a page of entries at a time. */
struct reader {
    char key[KEY_TEXT];
    char after[ID_TEXT];
    redisReply *page;
    size_t entry;                /* in the page */
    size_t offset;               /* in the entry's rows */
};

struct checker {
    struct store store;
    struct traffic traffic;
    const b2s6_model_info *info;
    struct reader *outputs, *dead;   /* (n_partitions) */
    b2s6_state **states;             /* (n_streams) */
    uint64_t *steps;                 /* (n_streams) */
    float *row;
    uint8_t *x, *bytes;
    uint64_t n_good, n_bad;
};

/* The fields of the reader's present entry; NULL at the end or, with problem set, if the store is lost. */
static const redisReply *present(struct checker *checker, struct reader *reader)
{
    if (reader->page && reader->entry < reader->page->elements)
        return reader->page->element[reader->entry]->element[1];
    if (reader->page)
        freeReplyObject(reader->page);
    reader->entry = reader->offset = 0;
    reader->page = store_call(&checker->store, "XRANGE %s %s%s + COUNT %d", reader->key, reader->after[0] ? "(" : "",
                              reader->after[0] ? reader->after : "-", PAGE);
    if (!reader->page || reader->page->type != REDIS_REPLY_ARRAY || reader->page->elements == 0)
        return NULL;
    snprintf(reader->after, sizeof reader->after, "%s", reader->page->element[reader->page->elements - 1]->element[0]->str);
    return reader->page->element[0]->element[1];
}

static int complain(uint64_t i, const struct traffic_event *event, const char *what)
{
    fprintf(stderr, "fleet: event %llu (stream %llu, partition %d): %s\n", (unsigned long long)i + 1,
            (unsigned long long)event->stream, event->partition, what);
    return 0;
}

/* Steps the event's stream: the record that the store should have, in checker->bytes. */
static int expect(struct checker *checker, const struct traffic_event *event)
{
    b2s6_state *state = checker->states[event->stream];
    const size_t width = checker->info->output_size;
    b2s6_status status;

    if (checker->info->input_kind == B2S6_TOKENS) {
        status = b2s6_step_token(state, get_token(event->x), checker->row, width);
    } else {
        float features[4096];

        if (checker->info->input_size > 4096)
            return 0;
        get_floats(features, event->x, checker->info->input_size);
        status = b2s6_step_features(state, features, checker->info->input_size, checker->row, width);
    }
    put_u64(checker->bytes, event->stream);
    put_u64(checker->bytes + 8, ++checker->steps[event->stream]);
    put_floats(checker->bytes + RECORD_HEAD, checker->row, width);
    return status == B2S6_OK;
}

static int check_good(struct checker *checker, uint64_t i, const struct traffic_event *event)
{
    const size_t size = RECORD_HEAD + 4 * (size_t)checker->info->output_size;
    struct reader *reader = &checker->outputs[event->partition];
    const redisReply *fields = present(checker, reader), *rows;

    checker->n_good++;
    if (!expect(checker, event))
        return complain(i, event, "this process cannot take it");
    if (!fields)
        return complain(i, event, "its output is missing");
    rows = fields->element[1];
    if (rows->len < reader->offset + size)
        return complain(i, event, "its output is cut");
    if (memcmp(rows->str + reader->offset, checker->bytes, 8) != 0)
        return complain(i, event, "another stream's output is in its place: one is missing or there twice");
    if (memcmp(rows->str + reader->offset, checker->bytes, 16) != 0)
        return complain(i, event, "the step's number differs: an event is missing or there twice");
    if (memcmp(rows->str + reader->offset, checker->bytes, size) != 0)
        return complain(i, event, "the output's bits differ");
    reader->offset += size;
    if (reader->offset == rows->len) {
        reader->offset = 0;
        reader->entry++;
    }
    return 1;
}

/* A dead letter: id, s, x, reason, each after its name. */
static int check_bad(struct checker *checker, uint64_t i, const struct traffic_event *event)
{
    struct reader *reader = &checker->dead[event->partition];
    const redisReply *fields = present(checker, reader);
    char id[ID_TEXT];

    checker->n_bad++;
    layout_print_id(id, (struct entry_id){ i + 1, 0 });
    if (!fields || fields->elements != 8)
        return complain(i, event, "it is not among the dead letters");
    if (strcmp(fields->element[1]->str, id) != 0)
        return complain(i, event, "another event is in its place among the dead letters");
    if (fields->element[3]->len != event->s_size || memcmp(fields->element[3]->str, event->s, event->s_size) != 0
        || fields->element[5]->len != event->x_size || memcmp(fields->element[5]->str, event->x, event->x_size) != 0)
        return complain(i, event, "its dead letter has other contents");
    if (strcmp(fields->element[7]->str, event->reason) != 0)
        return complain(i, event, "its dead letter has another reason");
    reader->entry++;
    return 1;
}

static int check_all(struct checker *checker)
{
    struct traffic_event event;

    for (uint64_t i = 0; i < checker->traffic.n_events; i++) {
        traffic_make(&checker->traffic, i, checker->x, &event);
        if (!(event.reason ? check_bad(checker, i, &event) : check_good(checker, i, &event)))
            return 0;
    }
    for (int p = 0; p < checker->traffic.n_partitions; p++)
        if (present(checker, &checker->outputs[p]) || present(checker, &checker->dead[p])) {
            fprintf(stderr, "fleet: partition %d has outputs or dead letters of events that there were not\n", p);
            return 0;
        }
    if (!checker->store.redis) {
        fprintf(stderr, "fleet: %s: %s\n", checker->store.address, checker->store.problem);
        return 0;
    }
    return 1;
}

static int open_checker(struct checker *checker, const struct fleet_options *options, const b2s6_model *model,
                        const b2s6_model_info *info)
{
    const size_t n = (size_t)options->partitions;

    checker->outputs = calloc(n, sizeof *checker->outputs);
    checker->dead = calloc(n, sizeof *checker->dead);
    checker->states = calloc(options->streams, sizeof *checker->states);
    checker->steps = calloc(options->streams, sizeof *checker->steps);
    checker->row = malloc(info->output_size * sizeof *checker->row);
    checker->bytes = malloc(RECORD_HEAD + 4 * (size_t)info->output_size);
    checker->x = malloc(traffic_input_size(info));
    if (!checker->outputs || !checker->dead || !checker->states || !checker->steps || !checker->row || !checker->bytes
        || !checker->x)
        return 0;
    for (size_t i = 0; i < options->streams; i++)
        if (b2s6_state_create(&checker->states[i], model, NULL) != B2S6_OK)
            return 0;
    for (int p = 0; p < options->partitions; p++) {
        layout_key(checker->outputs[p].key, p, KEY_OUTPUTS);
        layout_key(checker->dead[p].key, p, KEY_DEAD);
    }
    return 1;
}

int checker_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info)
{
    static struct checker checker;
    const struct traffic traffic = { options->seed, options->events, options->streams, options->bad,
                                     options->partitions, info };

    checker.store.address = options->store;
    checker.traffic = traffic;
    checker.info = info;
    if (!open_checker(&checker, options, model, info))
        return fleet_fail("out of memory");
    if (!store_connect(&checker.store))
        return fleet_fail(checker.store.problem);
    if (!check_all(&checker))
        return EXIT_FAILURE;
    printf("%llu outputs and %llu dead letters: every bit as one process has it\n", (unsigned long long)checker.n_good,
           (unsigned long long)checker.n_bad);
    return EXIT_SUCCESS;                     /* the system takes the memory back */
}
