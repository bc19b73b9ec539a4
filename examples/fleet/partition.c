/* partition.c - owning a partition: claim, commit, release (worker.h, commit.lua) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

int partition_claim(struct worker *worker, struct partition *partition)
{
    redisReply *reply = store_call(&worker->store, "EVALSHA %s 2 %s %s %s %u", worker->store.sha[SCRIPT_CLAIM],
                                   partition->keys[KEY_META], partition->keys[KEY_EVENTS], worker->name, worker->lease);
    int claimed = 0;

    if (!reply)
        return -1;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[0]->len < ID_TEXT
        && layout_parse_id(&partition->position, reply->element[1]->str, reply->element[1]->len)
        && layout_parse_id(&partition->read, reply->element[2]->str, reply->element[2]->len)) {
        memcpy(partition->epoch, reply->element[0]->str, reply->element[0]->len + 1);
        partition->owned = 1;
        partition->lost = 0;
        partition->count = 0;
        partition->renewed = worker_clock();
        worker->n_claimed++;
        claimed = 1;
        fprintf(stderr, "%s: partition %d: claimed, epoch %s, outputs are out up to %s, states stored up to %s\n",
                worker->name, partition->index, partition->epoch, reply->element[1]->str, reply->element[2]->str);
    }
    freeReplyObject(reply);
    return claimed;
}

static void empty_round(struct partition *partition)
{
    partition->n_new = 0;
    partition->records.size = partition->states.size = 0;
    partition->n_stored = partition->n_dead = 0;
}

void partition_forget(struct worker *worker, struct partition *partition)
{
    partition->owned = partition->lost = 0;
    empty_round(partition);
    cache_forget(&worker->cache, partition->index);
}

void partition_store(struct worker *worker, struct slot *slot)
{
    struct partition *partition = &worker->partitions[slot->partition];
    const size_t size = layout_stored_size(worker->model), offset = partition->states.size;

    /* The room is exact, the state whole: saving cannot fail. */
    if (layout_store(buffer_add(&partition->states, size), slot->stream, slot->position, slot->state) != B2S6_OK)
        abort();
    partition->stored = worker_room(partition->stored, &partition->room_stored, partition->n_stored + 1,
                                    sizeof *partition->stored);
    partition->stored[partition->n_stored].stream = slot->stream;
    partition->stored[partition->n_stored++].offset = offset;
    worker->n_stored++;
    if (slot->dirty)
        cache_clean(&worker->cache, slot);
}

/* The parts of a command as they are added. Numbers are written to texts, which is large enough for all of them. */
struct command {
    struct worker *worker;
    size_t n;
    char (*texts)[ID_TEXT];
    size_t n_texts;
};

static void add(struct command *command, const void *part, size_t size)
{
    command->worker->parts[command->n] = part;
    command->worker->sizes[command->n++] = size;
}

static void add_text(struct command *command, const char *text)
{
    add(command, text, strlen(text));
}

static void add_number(struct command *command, uint64_t number)
{
    char *text = command->texts[command->n_texts++];

    add(command, text, layout_print_number(text, number));
}

static void add_id(struct command *command, struct entry_id id)
{
    char *text = command->texts[command->n_texts++];

    add(command, text, layout_print_id(text, id));
}

/* The longest the next owner has to read: from before the oldest event that no stored state has. */
static struct entry_id floor_of(const struct worker *worker, const struct partition *partition)
{
    const struct slot *oldest = worker->cache.dirty[partition->index].first;

    return oldest ? oldest->before : partition->read;
}

static void add_states_and_dead(struct command *command, const struct partition *partition)
{
    const size_t size = layout_stored_size(command->worker->model);

    add_number(command, partition->n_stored);
    for (size_t i = 0; i < partition->n_stored; i++) {
        add_number(command, partition->stored[i].stream);
        add(command, partition->states.bytes + partition->stored[i].offset, size);
    }
    add_number(command, partition->n_dead);
    for (size_t i = 0; i < partition->n_dead; i++) {
        const struct event *event = partition->dead[i].event;

        add_id(command, event->id);
        add(command, event->s, event->s_size);
        add(command, event->x, event->x_size);
        add_text(command, partition->dead[i].reason);
    }
}

/* Both arrays that a command is made of hold n parts. */
static void room_for_parts(struct worker *worker, size_t n)
{
    size_t room = worker->room_parts;

    worker->sizes = worker_room(worker->sizes, &room, n, sizeof *worker->sizes);
    worker->parts = worker_room(worker->parts, &worker->room_parts, n, sizeof *worker->parts);
}

int partition_commit(struct worker *worker, struct partition *partition)
{
    const struct entry_id to = layout_not_after(partition->read, partition->position) ? partition->position : partition->read;
    const size_t n_parts = 18 + 2 * partition->n_stored + 4 * partition->n_dead;
    struct command command = { worker, 0, NULL, 0 };
    int sent;

    room_for_parts(worker, n_parts);
    command.texts = malloc(n_parts * sizeof *command.texts);
    if (!command.texts)
        exit(EXIT_FAILURE);
    add_text(&command, "EVALSHA");
    add_text(&command, worker->store.sha[SCRIPT_COMMIT]);
    add_number(&command, N_KEYS);
    for (int i = 0; i < N_KEYS; i++)
        add_text(&command, partition->keys[i]);
    add_text(&command, partition->epoch);
    add_id(&command, partition->position);
    add_id(&command, to);
    add_id(&command, floor_of(worker, partition));
    add_number(&command, worker->lease);
    add_number(&command, worker->trim);
    add_number(&command, partition->n_new);
    add(&command, partition->records.bytes ? (const void *)partition->records.bytes : "", partition->records.size);
    add_states_and_dead(&command, partition);
    sent = store_append(&worker->store, command.n, worker->parts, worker->sizes);
    free(command.texts);
    worker->n_dead += partition->n_dead;
    worker->news |= partition->n_new > 0;
    partition->position = to;
    partition->renewed = worker_clock();
    empty_round(partition);
    worker->committed[worker->n_committed++] = partition->index;
    return sent;
}

int partition_collect(struct worker *worker)
{
    for (size_t i = 0; i < worker->n_committed; i++) {
        struct partition *partition = &worker->partitions[worker->committed[i]];
        redisReply *reply = store_reply(&worker->store);

        if (!reply)
            return 0;
        if (reply->type == REDIS_REPLY_ERROR) {
            fprintf(stderr, "%s: partition %d: commit refused: %s\n", worker->name, partition->index, reply->str);
            worker->n_refused++;
            partition->lost = 1;
        }
        freeReplyObject(reply);
    }
    if (worker->news) {
        worker->end = worker_clock();
        worker->cpu_end = worker_processor();
    }
    worker->news = 0;
    worker->n_committed = 0;
    return 1;
}

int partition_release(struct worker *worker, struct partition *partition)
{
    redisReply *reply;

    while (worker->cache.dirty[partition->index].first)
        partition_store(worker, worker->cache.dirty[partition->index].first);
    if (!partition_commit(worker, partition) || !store_send(&worker->store) || !partition_collect(worker))
        return 0;
    reply = store_call(&worker->store, "EVALSHA %s 1 %s %s", worker->store.sha[SCRIPT_RELEASE], partition->keys[KEY_META],
                       partition->epoch);
    if (!reply)
        return 0;
    freeReplyObject(reply);
    fprintf(stderr, "%s: partition %d: released\n", worker->name, partition->index);
    partition_forget(worker, partition);
    return 1;
}
