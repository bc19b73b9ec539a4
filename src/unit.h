/* The selective unit: where delta, B and C come from. The recurrence itself is a kernel. */
#ifndef B2S6_UNIT_H
#define B2S6_UNIT_H

#include "pass.h"
#include "tensors.h"

/* The keys of a unit's configuration, the last of a layer. */
enum { UNIT_KEYS = 13 };
extern B2S6_INTERNAL const struct key b2s6_unit_keys[UNIT_KEYS];

/* What is wrong with a unit's configuration in a layer, d_inner known; *status says of what kind. NULL if all is well. */
B2S6_INTERNAL const char *b2s6_unit_check(const struct layer_config *c, b2s6_status *status);

/* Takes the tensors of the unit whose first role this is. */
B2S6_INTERNAL void b2s6_unit_bind(struct binder *b, uint32_t role, const struct layer_config *c, struct unit *u);

/* Raises what a row of a workspace needs, and says what the unit's states take of a stream. */
B2S6_INTERNAL void b2s6_unit_place(struct needs *needs, const struct layer_config *c, struct state_part *states);

/* What the section that scans a group of channels does with the unit's output before it is done with them. */
enum unit_after { AFTER_NOTHING, AFTER_GELU, AFTER_GATE };

/*
 * Where delta, B and C of a unit come from, if not from its own weights: from a block that has projected them together with
 * other things. delta (rows, delta_stride); bc (rows, bc_stride), a row of bc_width floats for every blocks_a_row blocks.
 */
struct unit_input {
    size_t u_stride;       /* floats from one row of u to the next; 0: pad16(d_inner) */
    const float *delta;    /* NULL: the unit makes its own */
    const float *bc;       /* NULL: the unit makes its own */
    size_t delta_stride, bc_stride;
    uint32_t bc_width, blocks_a_row;
};

/* One unit over all rows of a pass: delta, B and C, the recurrence, and what follows. */
struct unit_pass {
    const struct layer *layer;
    const struct unit *unit;
    struct unit_input given;
    const float *u;        /* (rows, pad16(d_inner)): what it reads */
    float *y;              /* (rows, pad16(d_inner)): its output */
    uint32_t part;         /* number of its states' part of the layer */
    int backwards;
    enum unit_after after;
    const float *gate;     /* (rows, pad16(d_inner)), gate_stride floats apart */
    size_t gate_stride;
};
B2S6_INTERNAL void b2s6_unit_pass(const struct pass *p, const struct unit_pass *u);

#endif
