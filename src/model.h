/*
 * The model handle as plain data: a configuration and, for every layer, where its weights are in the file.
 * open.c fills it; after that nothing changes it, so any number of threads read it without locks.
 *
 *     handle   | struct b2s6_model | struct layer 0 | struct layer 1 | ... | on big-endian machines a copy of the data |
 *
 * The weights are not in it: pointers go into the file's bytes, which are the host's memory, a mapping or
 * flash. Shapes (rows, columns) are in the order of memory, the last one fastest; "lanes" are arrays of
 * channels in groups of 16, (groups, n, planes, 16), so that a vector of channels reads one state's values
 * with one load. Padding is in the file, too.
 */
#ifndef B2S6_MODEL_H
#define B2S6_MODEL_H

#include "config.h"

struct b2s6_kernels;
struct block;

/*
 * One recurrent unit (roles 32 to 41); a NULL pointer is a part that the configuration does not have. d =
 * d_inner, n = d_state, p = d / h channels a block; planes, cx and cc are 2 for complex numbers, 1 for
 * real ones, of A 3 and 1 (format_numbers.h).
 */
struct unit {
    union {                    /* what delta is made of, by the configuration: */
        const float *w;        /* of a block, (pad16(d)): block j's p values at j p */
        struct {
            struct matrix x;   /* of low rank: dt_rank x d, */
            struct matrix dt;  /* d x dt_rank */
        } low;
    } step;
    const float *delta_bias;   /* (pad16(d)), for constant delta the step itself; mamba2: (pad16(h)) */
    const float *a;            /* (n, planes), or lanes (groups, n, planes, 16): decay, turn, turn_lo; mamba2: (pad16(d)) */
    const float *a_inverse;    /* lanes (groups, n, cx, 16) */
    struct matrix bc;          /* h matrices of (B re, B im, C re, C im rows) x p; none in a mamba2 block */
    const float *b_bias;       /* lanes (groups, n, cx, 16) */
    const float *c;            /* lanes (groups, n, cc, 16) */
    const float *d;            /* (pad16(d)) */
    float turn_limit;          /* 2^20 / the largest |turn|: beyond that an angle is not worth computing */
};

/*
 * Floats that a stream keeps: rows of width channels in groups of 16, each with planes x 16 floats: (rows,
 * groups, planes, 16). A unit's states are one row whose planes are all parts of all states; a
 * convolution's window is d_conv - 1 rows of one plane.
 */
struct state_part {
    uint32_t width;
    uint16_t rows, planes;
};
B2S6_STATIC_ASSERT(parts_count_in_16_bits, 4 * FORMAT_MAX_D_STATE <= UINT16_MAX && FORMAT_MAX_D_CONV <= UINT16_MAX);

/* How many parts a layer's block may have. */
enum { STATE_PARTS = 2 };

/* What only mamba2 blocks have. d = d_inner, bc = 2 n n_groups. */
struct mamba2_part {
    struct matrix in_bc, in_dt;           /* bc x d_model: of every group of heads B, then C; h x d_model */
    struct matrix in_mlp, out_mlp;        /* two of d_mlp x d_model: value, gate; d_model x d_mlp */
    const float *bc_bias, *mlp_bias;      /* (pad16(bc)); (2, pad16(d_mlp)) */
    const float *norm_weight;             /* (pad16(d)) */
};

/*
 * One layer: what it does, its configuration, its weights in the file, and where its parts of a stream are
 * in every state. The size of this structure is promised by B2S6_MODEL_SIZE (open.c asserts it). Members
 * that the layer's block does not use are NULL or 0.
 */
struct layer {
    const struct block *block;            /* what the layer does (block.h) */
    struct layer_config config;           /* these two first: a layer without entries takes them over (open.c) */
    const float *norm_weight, *norm_bias; /* (pad16(d_model)) each */
#if B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2 || B2S6_HAS_MLP
    struct matrix in_proj;                /* two of d_inner x d_model: v, z */
    const float *in_bias;                 /* (2, pad16(d_inner)) */
    const float *conv_weight;             /* (d_conv, pad16(d_inner)), oldest tap first; mamba2: pad16(d_inner) + pad16(bc) */
    const float *conv_bias;               /* as wide */
#endif
    struct unit unit;
#if B2S6_HAS_BIDIRECTIONAL || B2S6_HAS_MAMBA2
    union {
#if B2S6_HAS_BIDIRECTIONAL
        struct unit backwards;            /* of a bidirectional layer */
#endif
        struct mamba2_part mamba2;
    } more;
#endif
    struct matrix out;                    /* s4: two of d_model x d_model (a, g); the others: d_model x d_inner */
    const float *out_bias;                /* s4: (2, pad16(d_model)); the others: (pad16(d_model)) */
    struct state_part part[STATE_PARTS];  /* what the block keeps; rows 0: no such part */
    size_t part_at[STATE_PARTS];          /* their offsets from a state's address */
};

/* The unit that reads a bidirectional layer's sequence from its end; in a build without such layers nothing asks for it. */
#if B2S6_HAS_BIDIRECTIONAL
#  define LAYER_BACKWARDS(layer) (&(layer)->more.backwards)
#else
#  define LAYER_BACKWARDS(layer) (&(layer)->unit)
#endif

/*
 * Floats a row of activations takes in each place of a workspace (workspace.h): the most that any layer
 * needs, raised layer by layer while the file is bound. What products read prepared is counted apart:
 * codes in 16-bit integers.
 */
struct needs {
    uint32_t expanded, u, rank, delta, y, projected;
    uint32_t codes, code_parts, packed;
};

/* Offsets of a state's parts from its address, and its size. One measure for all: see state.c. */
struct state_layout {
    size_t parts_at;              /* the layers' parts */
    size_t pool_at;               /* (2, pad16(d_model)): running sum and what rounding took from it, if the pool is a mean */
    size_t work_at;               /* scratch of one row; what is before it is the stream */
    size_t size;                  /* of the whole state; SIZE_MAX if this machine cannot address it */
};

/*
 * The handle. One allocation or one place of the host's, the layers after it. Members up to
 * `bidirectional` are what steps and descriptions read; those after it are for names, metadata and for
 * giving back what opening took.
 */
struct b2s6_model {
    struct model_config config;
    const struct b2s6_kernels *kernels;
    struct state_layout state;
    struct needs needs;
    struct matrix embedding;      /* vocabulary x d_model */
    struct matrix encoder;        /* d_model x features */
    const float *encoder_bias;    /* (pad16(d_model)) */
    const struct layer *layers;   /* (n_layers), after this structure in the handle */
    const float *final_norm_weight, *final_norm_bias; /* (pad16(d_model)) */
    struct matrix head;           /* head size x d_model; the embedding if tied */
    const float *head_bias;       /* (pad16(head size)) */
    uint64_t parameter_count, fingerprint;
    size_t file_bytes;
    uint32_t bidirectional;       /* a layer is */
    const unsigned char *file;    /* the file's bytes, for its named entries */
    const unsigned char *tensors; /* n_tensors entries (format.h), as the next */
    const unsigned char *entries; /* n_entries named entries */
    const char *metadata;         /* n_metadata pairs of strings, in the file */
    uint32_t n_tensors, n_entries, n_metadata;
    b2s6_allocator allocator;     /* release is NULL for a placed handle */
    size_t allocated;             /* bytes that the allocator gave */
    void *mapping;                /* of a file opened by path, or NULL */
    size_t mapping_size;
    void (*unmap)(void *mapping, size_t mapping_size); /* gives the mapping back; NULL without one */
};

static inline int model_is_bidirectional(const struct b2s6_model *m)
{
    return B2S6_HAS_BIDIRECTIONAL && m->bidirectional;
}

#endif
