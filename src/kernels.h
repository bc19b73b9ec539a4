/*
 * The kernels: all arithmetic of the library, as one table of functions for each instruction set. Every table computes
 * the same bits (docs/arithmetic.md); which one a model uses is decided when it is opened. This is all that the rest
 * of the library knows of them, and they know no model: sizes, strides and settings come with each call.
 *
 * Rows are time steps of one stream, or streams; a row of activations is padded to whole groups of 16 lanes. A kernel
 * may read and write the padding of rows it is given; what is there has no influence on anything else.
 *
 * Nothing here can fail: whoever calls has checked all sizes and has the memory, a kernel allocates none and takes
 * some KiB of stack at most. Threads may run a function at once on ranges (panels, groups, spans, items, tiles) that
 * do not overlap: it writes nothing outside its range. Arrays that are read and arrays that are written are different
 * memory unless it says otherwise. Pointers are aligned as their type asks; weights are where the file has them.
 */
#ifndef B2S6_KERNELS_H
#define B2S6_KERNELS_H

#include "weights.h"

/*
 * y = W x + bias for n_rows rows, over panels first_panel .. end_panel - 1 of one matrix. For an integer type x is given as
 * the codes that quantize made of it, and is not read.
 */
struct product {
    const void *weight;     /* panels of 16 rows, of the type that the function is for */
    const float *bias;      /* (panels * 16), or NULL */
    const float *x;         /* n_rows rows of k values, x_stride floats apart */
    const float *packed;    /* the same for all whole tiles, packed_stride floats apart; NULL if they are not packed */
    float *y;               /* n_rows rows of n_out values, y_stride floats apart */
    size_t x_stride, y_stride, packed_stride;
    const int16_t *codes;   /* n_rows rows, code_stride values apart */
    const float *scales;    /* (n_rows), scale_stride apart */
    size_t code_stride, scale_stride;
    size_t n_rows;
    uint32_t k;             /* columns of W */
    uint32_t n_out;         /* rows of W; if not a multiple of 16, y has no padding to write to */
    uint32_t first_panel, end_panel;
};

/*
 * Rows of activations as a product with many accumulators likes to read them: (tiles, width, rows of a tile), so that
 * the values it takes together are together. Rows beyond the last whole tile are read as they are.
 */
struct pack {
    const float *x;         /* rows of width values, x_stride floats apart: all of the tiles that are asked for */
    float *packed;
    size_t x_stride;
    uint32_t width;
};

/*
 * Rows of activations as integers: x = scale * code, code from -32512 to 32512, one scale a row. A row is one part of
 * k values, or n_parts of them side by side, each with a scale of its own. A row without values of 2^-100 or more has
 * codes and scale 0, one with an infinite value or a NaN has codes 0 and a NaN as scale.
 *
 * How codes are laid out in a row is between quantize and product of one table; it may depend on n_rows and k, which
 * are the same in both. Codes beyond the last value are zero as far as that product reads them: up to the width of the
 * part, in a small build up to whole eights of columns.
 */
struct quantize {
    const float *x;         /* n_rows rows of n_parts * k values, x_stride floats apart */
    int16_t *codes;         /* (n_rows, n_parts, b2s6_code_width(k)) */
    float *scales;          /* (n_rows, n_parts) */
    size_t x_stride, n_rows;
    uint32_t n_parts, k;
};

/*
 * Whose A: one value for each state of the layer; one for each channel and state; or one real value a channel for all
 * its states.
 */
enum { SCAN_A_SHARED = 0, SCAN_A_LANES = 1, SCAN_A_SCALAR = 2 };

/* The last is Mamba-2's alone: builds without its block do not ask for it. */
#define SCAN_IS_SCALAR(kind) (B2S6_HAS_MAMBA2 && (kind).a == SCAN_A_SCALAR)

/*
 * Settings of a recurrence, each 0 or 1 but for a; bytes, so that kinds are compared as memory. A constant where a
 * caller has one.
 */
struct scan_kind {
    uint8_t is_complex;      /* A, B and the states; else real */
    uint8_t hold;            /* zero-order hold: B is B / A; else Euler: B is multiplied by delta */
    uint8_t compensated;     /* states in two floats a part */
    uint8_t a;               /* SCAN_A_..., SCAN_A_SCALAR only if not complex */
    uint8_t delta_constant;  /* delta_stride is 0 */
    uint8_t b_weight;        /* a row of bc begins with B; */
    uint8_t b_bias;          /* and b_bias is added to it, or is all there is: one of them must be */
    uint8_t c_selective;     /* a row of bc ends with C; else it is constant */
    uint8_t c_complex;
    uint8_t b_over_a;        /* B is multiplied by a_inverse: zero-order hold and A not SCAN_A_SHARED */
};

/*
 * The recurrence of one stream through n_steps steps, for groups of 16 channels first_group .. end_group - 1. Rows may
 * be walked backwards: strides are signed. cx is 2 if the unit is complex, else 1; cc the same of C; "lanes" are
 * arrays in groups of 16 channels, whose padding has values of some kind too.
 */
struct scan {
    struct scan_kind kind;
    uint32_t n;              /* d_state */
    uint32_t d, p;           /* channels that are no padding; channels a block */
    uint32_t blocks_a_row;   /* blocks that share a row of bc: Mamba-2's groups of heads; without its block nobody asks */
    float scale;             /* s of y = s Re(C x): 2 for conjugate pairs, else 1 */
    float turn_limit;        /* 2^20 / max |turn|, FLT_MAX if no state turns */
    /* A as kind.a has it: (n, planes); lanes (groups, n, planes, 16); or (groups, 1, 16). Planes: decay if real, else decay,
     * turn, turn_lo. */
    const float *a;
    const float *a_inverse;  /* 1 / A, lanes (groups, n, cx, 16); NULL unless b_over_a */
    const float *b_bias;     /* lanes (groups, n, cx, 16), or NULL */
    const float *c;          /* lanes (groups, n, cc, 16), or NULL if selective */
    const float *skip;       /* D (pad16(d)), or NULL */
    const float *u, *delta;  /* (n_steps, d), padded to whole groups: what the unit reads, and its steps */
    const float *bc;         /* (n_steps, rows, bc_width): B re, B im, C re, C im, n of each that there is; or NULL */
    float *y;                /* (n_steps, d), padded to whole groups */
    float *x;                /* the state, lanes (groups, n, planes, 16): re, im, re_lo, im_lo as far as they exist */
    ptrdiff_t u_stride, delta_stride, bc_stride, y_stride; /* floats from one step to the next */
    size_t n_steps;
    uint32_t bc_width;       /* floats from one row of bc to the next */
    uint32_t first_group, end_group;
};

/* Channels that read the same row of bc. */
static inline uint32_t scan_channels_a_row(const struct scan *s)
{
    return B2S6_HAS_MAMBA2 ? s->p * s->blocks_a_row : s->p;
}

/* delta = softplus(w_j . u_j + bias): a dot product for each block j, which all its channels share. */
struct delta_block {
    const float *w, *bias;   /* (pad16(d)): block j's p values at j p */
    const float *x;          /* (n_rows, d): what the unit reads */
    float *delta;            /* (n_rows, d): rows as far apart as those of x */
    uint32_t d, p;
};

/* The causal depthwise convolution and SiLU of one stream: u = silu(conv(v) + bias), for groups of channels. */
struct conv {
    const float *weight;    /* (d_conv, width), oldest tap first */
    const float *bias;      /* (width) */
    const float *v;         /* (n_steps, width), v_stride floats apart */
    float *u;               /* (n_steps, width), width floats apart */
    float *window;          /* (d_conv - 1, width): the last rows of v before these, oldest first; brought up to date */
    size_t v_stride, n_steps;
    uint32_t width;         /* pad16(d_inner) */
    uint32_t d_conv;
    uint32_t first_group, end_group;
};

/* Rows of activations as products with one kind of matrix read them. */
struct prepared {
    const float *x;          /* (n_rows, x_stride): the rows themselves */
    size_t x_stride;
    const float *packed;     /* tiles (n_rows / pack_rows, width, pack_rows), or NULL */
    const int16_t *codes;    /* (n_rows, n_parts, code width), or NULL */
    const float *scales;     /* (n_rows, n_parts), or NULL */
    size_t n_rows;
    uint32_t n_parts, width; /* width: n_parts * columns */
};

/* A norm over rows of d values. */
struct norm {
    uint32_t kind;          /* b2s6_norm */
    float eps;
    const float *weight, *bias; /* (pad16(d)) */
    uint32_t d;
};

/* The same columns of several rows: values begin .. end - 1, multiples of 16, of n_rows rows, stride floats apart. */
struct span {
    size_t n_rows, stride, begin, end;
};

struct b2s6_kernels {
    /* Of the instruction set, as b2s6.h's functions for hosts have it. */
    const char *name;
    void (*product[N_TYPES])(const struct product *p); /* by type; NULL for one that this build leaves out */
    /* Tiles begin .. end - 1. */
    void (*pack)(const struct pack *p, size_t begin, size_t end);
    uint32_t pack_rows; /* of a tile; 0: products of floats read x as it is, and pack is NULL */
    /* Items begin .. end - 1, of which item i is part i % n_parts of row i / n_parts. */
    void (*quantize)(const struct quantize *q, size_t begin, size_t end);
    /* The groups of s; the state goes from before its first step to after its last. */
    void (*scan)(const struct scan *s);
    /* The groups of c, and their columns of the window. NULL in a build without mamba and mamba2 blocks. */
    void (*conv_silu)(const struct conv *c);
    /* out = norm(x) for n_rows rows, stride floats apart in both; out may be x. */
    void (*norm)(const struct norm *n, const float *x, float *out, size_t n_rows, size_t stride);
    /* RMS norm in place of each of the n_groups runs of n->d values in n_rows rows; weight is for all. NULL without mamba2. */
    void (*norm_groups)(const struct norm *n, float *x, size_t n_rows, size_t stride, uint32_t n_groups);
    /* The channels of span. */
    void (*delta_block)(const struct delta_block *b, struct span span);
    /* In place, over the values of span. */
    void (*softplus)(float *x, struct span span);
    void (*gelu)(float *x, struct span span);
    /* x = x + other, with rows as far apart as those of x. */
    void (*add)(float *x, const float *other, struct span span);
    /* y = y silu(z), with rows of z z_stride floats apart. */
    void (*gate_silu)(float *y, const float *z, size_t z_stride, struct span span);
    /* x = x + a sigmoid(g), with a row's a and g side by side, ag_stride floats to the next row's. */
    void (*add_gated)(float *x, const float *a, const float *g, size_t ag_stride, struct span span);
    /* out = x, with values of less than 2^-100 as zero, so that tiny inputs do not make every step slow. */
    void (*flush)(float *out, const float *x, size_t n);
};

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_portable;

#endif
