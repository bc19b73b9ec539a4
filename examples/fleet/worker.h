/*
 * worker.h - what the parts of a worker share
 *
 * A worker owns some partitions and goes round and round: the events that have come to them, one commit a partition. While it
 * steps one round the server already reads the next for it:
 *
 *     events of round k arrive        round_take
 *     ask for unknown states, and for the events of round k + 1
 *     what became of the commits of round k - 1
 *     states arrive                   round_load
 *     the steps of round k            round_step
 *     send the commits of round k     partition_commit
 *
 * It believes that its commits succeed. One that is refused says that the partition has another owner: it forgets the
 * partition's states, and what it has sent ahead is refused as well. When the connection is lost it forgets everything. In
 * both cases the store has the truth, and a claim begins from there.
 */
#ifndef FLEET_WORKER_H
#define FLEET_WORKER_H

#include "cache.h"
#include "store.h"

/* Bytes that grow; the room is kept for the next round. */
struct buffer {
    uint8_t *bytes;
    size_t size, room;
};

/* One part of a command. offset is counted in a partition's states, for what is not at a fixed place yet. */
struct stored {
    uint64_t stream;
    size_t offset;
};

struct dead {
    const struct event *event;
    const char *reason;
};

struct partition {
    int index;
    int owned, lost;               /* lost: a commit was refused; what is left of it is forgotten at the end of the round */
    char epoch[ID_TEXT];
    char keys[N_KEYS][KEY_TEXT];
    struct entry_id position;      /* outputs of all events up to here are out, or in a commit that has been sent */
    struct entry_id read;          /* read up to here: before position while catching up */
    uint64_t count;                /* events read since the claim */
    uint64_t n_new;                /* of this round: events behind position */
    struct buffer records;         /* of this round: outputs */
    struct buffer states;          /* of this round: stored states, one after the other */
    struct stored *stored;         /* (n_stored): whose they are */
    size_t n_stored, room_stored;
    struct dead *dead;             /* (n_dead) */
    size_t n_dead, room_dead;
    double renewed;                /* when the lease was last prolonged */
};

struct event {
    struct entry_id id, before;    /* its place, and where its partition was before it */
    uint64_t count;                /* the partition's count of events at it */
    struct partition *partition;
    uint64_t stream;
    const char *s, *x;             /* in the reply */
    size_t s_size, x_size;
    const char *reason;            /* why it is not taken; NULL: it is */
    int silent;                    /* its output is out already */
    struct slot *slot;
    struct event *next;            /* of the same stream in this round */
    size_t record;                 /* place in the partition's records; SIZE_MAX: none */
};

/* Where the time of a worker goes, in seconds. */
enum phase { PHASE_WAIT, PHASE_READ, PHASE_LOAD, PHASE_STEP, PHASE_STORE, PHASE_SEND, N_PHASES };

struct worker {
    const char *name;
    struct store store;
    b2s6_model *model;
    b2s6_model_info info;
    struct cache cache;
    int n_partitions;
    struct partition *partitions;  /* (n_partitions) */
    size_t round_events;           /* at most so many in a round, all partitions together */
    uint64_t every, window;        /* a state is stored after so many events of its stream, or of its partition */
    unsigned lease;                /* milliseconds */
    int step, trim;                /* step 0: no model, all else as ever */

    uint64_t round;
    redisReply *reply;             /* the events of this round */
    struct event *events;          /* (n_events), room for round_events */
    size_t n_events;
    struct slot **order;           /* (n_order): slots with events, by their first one */
    size_t n_order;
    struct slot **wanted;          /* (n_wanted): slots whose states must come from the store */
    size_t n_wanted;
    int asked;                     /* a read is under way */
    int *committed;                /* (n_committed): partitions whose commits are under way, in order */
    size_t n_committed;

    b2s6_state **batch;            /* (BATCH), and what goes with it */
    int32_t *tokens;
    float *features, *rows;
    void *workspace;
    size_t workspace_size;
    const char **parts;            /* (room_parts): of the command that is made */
    size_t *sizes, room_parts;

    double phases[N_PHASES], since;
    double begin, end;             /* when the first events came, when the last of them were known to be in */
    double cpu_begin, cpu_end;     /* processor time at both */
    int news;                      /* commits with events are under way */
    uint64_t n_taken, n_dead, n_loaded, n_stored, n_replayed, n_refused, n_claimed, n_reconnected;
};

enum { BATCH = 64 };

/* Seconds of a clock that only goes forward. */
double worker_clock(void);

/* Seconds of processor time that this process has had. */
double worker_processor(void);

/* The time since the last call was spent on phase. */
void worker_spent(struct worker *worker, enum phase phase);

/* Everything of a fixed size, at once, and n_states states: 1, or 0 out of memory. */
int worker_prepare(struct worker *worker, size_t n_states);

/* Out of memory in the middle of work ends the worker: the store has everything, as after a kill. */
void *worker_room(void *memory, size_t *room, size_t n, size_t size);
uint8_t *buffer_add(struct buffer *buffer, size_t n);

/* round.c: see above. round_ask_states appends a command a partition; round_load takes their replies. 0: the store is lost. */
void round_take(struct worker *worker, redisReply *reply);
int round_ask_states(struct worker *worker);
int round_load(struct worker *worker);
void round_step(struct worker *worker);
void round_end(struct worker *worker);

/* partition.c */
/* Takes the partition if it is free: 1 or 0; -1: the store is lost. */
int partition_claim(struct worker *worker, struct partition *partition);
/* Adds the slot's state to what the next commit stores. */
void partition_store(struct worker *worker, struct slot *slot);
/* Appends the commit of this round and empties it. 0: the store is lost. */
int partition_commit(struct worker *worker, struct partition *partition);
/* What became of the commits that were sent. 0: the store is lost. */
int partition_collect(struct worker *worker);
/* Stores all its states and gives it to whoever wants it. */
int partition_release(struct worker *worker, struct partition *partition);
/* Forgets the partition and its states. */
void partition_forget(struct worker *worker, struct partition *partition);

#endif
