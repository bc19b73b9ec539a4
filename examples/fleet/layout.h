/*
 * layout.h - what is in the store: names of keys, events, output records, stored states
 *
 * A stream is a number. Streams are dealt out to partitions, and a partition has six keys, whose common {tag} puts them on
 * one server of a Redis Cluster:
 *
 *     fleet:{3}:events    stream   s = the stream, in decimal; x = the input: a token (int32) or features (float32 each)
 *     fleet:{3}:outputs   stream   rows = records, one an event, in the order of the events
 *     fleet:{3}:states    hash     stream -> stored state
 *     fleet:{3}:dead      stream   id, s, x of an event that could not be taken, and why
 *     fleet:{3}:meta      hash     owner, epoch, until, position, floor, done: see commit.lua
 *     fleet:workers       sorted set of workers by the time they were last seen
 *
 * All numbers in bytes are little-endian.
 */
#ifndef FLEET_LAYOUT_H
#define FLEET_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"

/* An event's place in the log of its partition. Redis writes it "ms-seq". */
struct entry_id {
    uint64_t ms, seq;
};

enum {
    ID_TEXT = 48,            /* room for an entry id or a stream in decimal */
    KEY_TEXT = 48,           /* room for a key */
    RECORD_HEAD = 16,        /* stream, step (1 for the first); then output_size floats */
    STORED_HEAD = 24,        /* position of the last event in the state, check; then the snapshot */
    MAX_PARTITIONS = 1024
};

#define WORKERS_KEY "fleet:workers"
#define PARTITIONS_KEY "fleet:partitions"
#define GROUP "fleet"        /* the consumer group that shows how far a partition is */

enum { KEY_META, KEY_EVENTS, KEY_OUTPUTS, KEY_STATES, KEY_DEAD, N_KEYS };

/* Which partition a stream belongs to. */
int layout_partition(uint64_t stream, int n_partitions);

/* The name of a key of a partition, KEY_..., into key (KEY_TEXT). */
void layout_key(char *key, int partition, int which);

/* Decimal digits only, the whole text, below 2^64: 1, else 0. */
int layout_parse_number(uint64_t *number, const char *text, size_t length);

/* "ms-seq": 1, else 0. */
int layout_parse_id(struct entry_id *id, const char *text, size_t length);

/* Into text (ID_TEXT); returns its length. */
size_t layout_print_id(char *text, struct entry_id id);
size_t layout_print_number(char *text, uint64_t number);

/* a <= b */
int layout_not_after(struct entry_id a, struct entry_id b);

void put_u64(uint8_t *bytes, uint64_t value);
uint64_t get_u64(const uint8_t *bytes);
void put_floats(uint8_t *bytes, const float *values, size_t n);
void get_floats(float *values, const uint8_t *bytes, size_t n);
int32_t get_token(const uint8_t *bytes);

/* What a step would say to an event's input x: OK, INPUT_KIND (its length), TOKEN, VALUE. A batch would fail as a whole. */
b2s6_status layout_check_input(const b2s6_model_info *info, const void *x, size_t size);

/* Bytes that layout_store writes for a state of this model. */
size_t layout_stored_size(const b2s6_model *model);

/* A state, and position, the last event that it has taken, as the store keeps it: to bytes (layout_stored_size). */
b2s6_status layout_store(uint8_t *bytes, uint64_t stream, struct entry_id position, const b2s6_state *state);

/*
 * Takes one up again. What the store holds may be damaged, of another stream, model or version: SNAPSHOT, MODEL, VERSION, and
 * position is as it was.
 */
b2s6_status layout_take_up(b2s6_state *state, struct entry_id *position, uint64_t stream, const void *bytes, size_t size);

#endif
