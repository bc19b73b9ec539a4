/*
 * The selective unit: one recurrence, settings of which are B2S6, S6 (Mamba), S4D and their relatives. For
 * a channel i of block j, states elementwise (Yu and Erichson, arXiv 2505.09022, Algorithm 2, eq.
 * 7-8):
 *
 *     delta = softplus(w_j . u_j + b_i)        B = Bweight_j u_j + Bbias_i        C = C_j^T u_j
 *     x <- exp(delta A) x + Bbar u_i         y = s Re(C . x) + D_i u_i
 *
 * This file's part is where delta, B and C come from: the unit's keys of the configuration, its tensors,
 * and the products that make them of the input. The recurrence itself, Bbar included, is a kernel (struct
 * scan in kernels.h). Blocks call it (block_s4.c, block_mamba.c); it does not know which block it serves.
 */
#ifndef B2S6_UNIT_H
#define B2S6_UNIT_H

#include "pass.h"
#include "tensors.h"

/* The keys of a unit's configuration, the last of a layer. */
enum { UNIT_KEYS = 13 };
extern B2S6_INTERNAL const struct key b2s6_unit_keys[UNIT_KEYS];

/* What is wrong with a unit's configuration in a layer, d_inner known; *status says of what kind. NULL if all is well. */
B2S6_INTERNAL const char *b2s6_unit_check(const struct layer_config *c, b2s6_status *status);

/*
 * Takes the tensors of the unit whose first role this is (ROLE_UNIT or ROLE_UNIT_BACKWARDS), in the order
 * of the file. *u is all zero before, so what the configuration does not have stays NULL. Failures are the
 * binder's.
 */
B2S6_INTERNAL void b2s6_unit_bind(struct binder *b, uint32_t role, const struct layer_config *c, struct unit *u);

/*
 * Raises what a row of a workspace needs, and says what the unit's states take of a stream: one row of
 * d_inner channels with planes for each state's parts.
 */
B2S6_INTERNAL void b2s6_unit_place(struct needs *needs, const struct layer_config *c, struct state_part *states);

/*
 * What the section that scans a group of channels does with the unit's output before it is done with them:
 * nothing, the GELU of the s4 block, or the gate y silu(z) of the mamba block. It is done there because it
 * stays within the channels: no section and no meeting of threads of its own.
 */
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

/*
 * One unit over all rows of a pass: delta, B and C, the recurrence, and what follows. u and y are
 * different places; rows of both are pad16(d_inner) floats apart. Backwards, rows of each stream are taken
 * from the last to the first.
 */
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
/*
 * Fills y and moves the states of all streams of the pass on. Uses the workspace's rank, delta and
 * projected. Cannot fail.
 */
B2S6_INTERNAL void b2s6_unit_pass(const struct pass *p, const struct unit_pass *u);

#endif
