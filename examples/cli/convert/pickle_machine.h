/*
 * pickle_machine.h - the stack machine that a pickle is a program for, restricted to what a state_dict needs
 *
 * Values are small and copied; what a dict or a tuple holds is in arrays of the machine, so nothing here is a tree that
 * something would have to walk. Every array is at most as long as the pickle has bytes.
 */
#ifndef B2S6_CLI_PICKLE_MACHINE_H
#define B2S6_CLI_PICKLE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "pickle.h"

typedef enum pickle_kind {
    PICKLE_NOTHING,  /* None; a number with a fraction: of no use to a state_dict, and let pass */
    PICKLE_BOOLEAN,
    PICKLE_INTEGER,  /* as.integer */
    PICKLE_STRING,   /* as.text: (n) bytes of the pickle */
    PICKLE_TUPLE,    /* n items, of the machine's from as.first on */
    PICKLE_LIST,     /* its items are dropped: no tensor is in a list */
    PICKLE_DICT,     /* number n of the machine's, plain or ordered */
    PICKLE_GLOBAL,   /* name number n of the list in pickle_machine.c */
    PICKLE_STORAGE,  /* number n of the machine's */
    PICKLE_TENSOR    /* number n of the machine's */
} pickle_kind;

typedef struct pickle_value {
    pickle_kind kind;
    uint32_t n;
    union {
        int64_t integer;
        const char *text;
        size_t first;
    } as;
} pickle_value;

typedef struct pickle_pair {
    uint32_t dict;
    pickle_value key, value;
} pickle_pair;

typedef struct pickle_memo {
    pickle_value value;
    int set;
} pickle_memo;

#define PICKLE_MARKS 32          /* as many containers may be inside each other */
#define PICKLE_STACK (1u << 16)  /* values; PyTorch leaves at most about 2,000 there */

typedef struct pickle_machine {
    const unsigned char *begin, *at, *end;  /* the program */
    message *m;
    pickle_value *stack;
    size_t n_stack, room_stack;
    size_t marks[PICKLE_MARKS], n_marks;    /* how high the stack was at each open mark */
    pickle_value *items;                    /* of all tuples */
    size_t n_items, room_items;
    pickle_pair *pairs;                     /* of all dicts */
    size_t n_pairs, room_pairs;
    pickle_memo *memo;
    size_t n_memo;
    pickle_tensor *storages, *tensors;      /* a storage is a tensor without shape and name */
    size_t n_storages, room_storages, n_tensors, room_tensors;
    uint32_t n_dicts;
} pickle_machine;

/*
 * Runs the program to its end. 0 with one value on the stack, or -1. To be freed in both cases; bytes must live until then, and
 * as long as anything that points into them.
 */
int pickle_machine_run(pickle_machine *v, const unsigned char *bytes, size_t size, message *m);
void pickle_machine_free(pickle_machine *v);

#endif
