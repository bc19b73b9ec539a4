/* The model handle: a configuration and, for every layer, where its weights lie in the file. */
#ifndef B2S6_MODEL_H
#define B2S6_MODEL_H

#include "config.h"

struct b2s6_kernels;

/* count matrices of rows x cols in panels of 16 rows (weights.h); data NULL if the model has none. */
struct matrix {
    const void *data;
    uint32_t type;
    uint32_t count, rows, cols;
};

/* What a row of k activations takes as codes, the integers that products of integer types read (kernels.h). */
static inline uint32_t b2s6_code_width(uint32_t k)
{
    return k > 32 ? (k + 63) / 64 * 64 : (k + 15) / 16 * 16;
}

/* Rows from which on a matrix of floats is worth packing its input for. */
enum { PACK_WORTH_ROWS = 128 };

static inline int b2s6_is_packed(const struct matrix *m)
{
    return B2S6_HAS_ISAS && (m->type == TYPE_F32 || m->type == TYPE_F16) && m->rows >= PACK_WORTH_ROWS;
}

/* One recurrent unit (roles 32 to 41); a NULL pointer is a part that the configuration does not have. d = d_inner. */
struct unit {
    const float *w;            /* (pad16(d)): block j's p values at j p */
    struct matrix x_weight;    /* dt_rank x d */
    struct matrix dt_weight;   /* d x dt_rank */
    const float *delta_bias;   /* (pad16(d)); for constant delta the step itself */
    const float *a;            /* (n, 2 cx), or lanes (groups, n, 2 cx, 16): decay hi, lo, turn hi, lo */
    const float *a_inverse;    /* lanes (groups, n, cx, 16) */
    struct matrix bc;          /* h matrices of (B re, B im, C re, C im rows) x p */
    const float *b_bias;       /* lanes (groups, n, cx, 16) */
    const float *c;            /* lanes (groups, n, cc, 16) */
    const float *d;            /* (pad16(d)) */
};

struct layer {
    const float *norm_weight, *norm_bias; /* (pad16(d_model)) each */
    struct matrix in_proj;                /* two of d_inner x d_model: v, z */
    const float *in_bias;                 /* (2, pad16(d_inner)) */
    const float *conv_weight;             /* (d_conv, pad16(d_inner)), oldest tap first */
    const float *conv_bias;               /* (pad16(d_inner)) */
    struct unit unit[2];                  /* forwards, and backwards if bidirectional */
    struct matrix out;                    /* s4: two of d_model x d_model (a, g); mamba: d_model x d_inner */
    const float *out_bias;                /* s4: (2, pad16(d_model)); mamba: (pad16(d_model)) */
};

/* Offsets of a state's parts from its address, and its size. One measure for all: see state.c. */
struct state_layout {
    size_t units_at, unit_bytes;      /* lanes (groups, n, planes, 16) a layer */
    size_t windows_at, window_bytes;  /* (d_conv - 1, pad16(d_inner)) a layer */
    size_t pool_at, pool_bytes;       /* (2, pad16(d_model)): running sum and what rounding took from it */
    size_t work_at;                   /* scratch of one row (work.h) */
    size_t size;                      /* of the whole state; SIZE_MAX if this machine cannot address it */
};

struct b2s6_model {
    struct config config;
    const struct b2s6_kernels *kernels;
    struct state_layout state;
    struct matrix embedding;      /* vocabulary x d_model */
    struct matrix encoder;        /* d_model x features */
    const float *encoder_bias;    /* (pad16(d_model)) */
    const struct layer *layers;   /* (n_layers), behind this structure in the handle */
    const float *final_norm_weight, *final_norm_bias; /* (pad16(d_model)) */
    struct matrix head;           /* head size x d_model; the embedding if tied */
    const float *head_bias;       /* (pad16(head size)) */
    uint64_t parameter_count, fingerprint, file_bytes;
    uint32_t weight_type;         /* of most weights */
    uint32_t code_width;          /* of the widest row of codes (b2s6_code_width); 0: all weights are floats */
    uint32_t code_parts;          /* scales of such a row */
    uint32_t pack_width;          /* of the widest row that products read packed (kernels.h); 0: none */
    const char *metadata;         /* n_metadata pairs of strings, in the file */
    uint32_t n_metadata;
    b2s6_allocator allocator;     /* release is NULL for a placed handle */
    void *mapping;                /* of a file opened by path, or NULL */
    size_t mapping_size;
};

/* Checks file and configuration and says how large the handle is: model, layers, and a big-endian machine's copy of the data. */
struct blueprint {
    struct format format;
    struct config config;
    size_t layers_at, data_at, handle_size;
};
B2S6_INTERNAL b2s6_status b2s6_model_plan(struct blueprint *plan, const void *data, size_t size, b2s6_error *error);

/* The options that a model is opened with, or their defaults. Unknown flags or members are refused. */
struct open_settings {
    b2s6_allocator allocator;
    uint32_t flags;
    const struct b2s6_kernels *kernels;
};
B2S6_INTERNAL b2s6_status b2s6_open_settings(struct open_settings *settings, const b2s6_open_options *options,
                                             b2s6_error *error);

/* Builds the handle that was planned, in plan->handle_size bytes at memory. */
B2S6_INTERNAL b2s6_status b2s6_model_build(void *memory, const struct blueprint *plan, const struct open_settings *settings,
                                           b2s6_error *error);

/* Gives a mapping of b2s6_model_open_file back; NULL is allowed. */
B2S6_INTERNAL void b2s6_unmap(void *mapping, size_t size);

#endif
