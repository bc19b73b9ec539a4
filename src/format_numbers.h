/*
 * The numbers of the .b2s6 file and of snapshots, version 2: the one place that the library's reader and the converter's
 * writer take them from. docs/format.md says what each means; tests tell them a second time, on purpose. Values that
 * b2s6.h names (block, norm, pool, scope, delta, input kind) are those of its enumerations, which are pinned.
 */
#ifndef B2S6_FORMAT_NUMBERS_H
#define B2S6_FORMAT_NUMBERS_H

#include <stdint.h>

/* ---------------------------------------------------------------------------------------------------------- the header */

/* The first 8 bytes: no text file begins so, and a copy that changes line ends or drops bit 7 damages it. */
#define FORMAT_MAGIC "\x89" "B2S6\r\n\x1a"

enum {
    FORMAT_MAGIC_BYTES = 8,
    FORMAT_VERSION = 2,
    FORMAT_VERSION_0_1 = 1,          /* of libb2s6 0.1: refused by name */
    FORMAT_ARITHMETIC = 2            /* the definition in docs/arithmetic.md that a file's values are made for */
};

/* Sizes in bytes. */
enum {
    FORMAT_HEADER_BYTES = 64,
    FORMAT_CONFIG_ENTRY_BYTES = 8,
    FORMAT_TENSOR_ENTRY_BYTES = 48,
    FORMAT_NAMED_ENTRY_BYTES = 48,
    FORMAT_METADATA_ALIGNMENT = 8,   /* metadata_bytes is a multiple of it */
    FORMAT_DATA_ALIGNMENT = 64       /* of the header's end, every tensor, every named entry and the file's end */
};

/* Offsets in the header. */
enum {
    FORMAT_AT_MAGIC = 0,             /* 8 bytes */
    FORMAT_AT_VERSION = 8,           /* u32 */
    FORMAT_AT_HEADER_BYTES = 12,     /* u32: all before the data, padding included */
    FORMAT_AT_FILE_BYTES = 16,       /* u64 */
    FORMAT_AT_HEADER_CRC = 24,       /* u32: of header_bytes bytes, taken with this field zero */
    FORMAT_AT_DATA_CRC = 28,         /* u32: from header_bytes to file_bytes */
    FORMAT_AT_N_CONFIG = 32,         /* u32 */
    FORMAT_AT_N_METADATA = 36,       /* u32: pairs */
    FORMAT_AT_METADATA_BYTES = 40,   /* u32 */
    FORMAT_AT_N_TENSORS = 44,        /* u32 */
    FORMAT_AT_N_ENTRIES = 48,        /* u32: named entries */
    FORMAT_AT_ARITHMETIC = 52,       /* u32 */
    FORMAT_AT_RESERVED = 56          /* 8 bytes, zero */
};

/* At most so many. */
enum {
    FORMAT_MAX_METADATA = 1024,          /* pairs */
    FORMAT_MAX_METADATA_BYTES = 262144,
    FORMAT_MAX_ENTRIES = 256,            /* named entries */
    FORMAT_MAX_DIMENSION = 1 << 28       /* each of a tensor's count, rows and cols */
};

/* --------------------------------------------------------------------------------------------------- the configuration */

/* A key is optional bit | section | number. Keys ascend by section, then number. */
#define FORMAT_KEY_OPTIONAL 0x80000000u  /* a reader that does not know the key skips it */

enum {
    FORMAT_KEY_SECTION_SHIFT = 16,       /* section 0 is the model, section l the layer l, counted from 1 */
    FORMAT_KEY_SECTION_MASK = 0x7fff,    /* after the shift */
    FORMAT_KEY_NUMBER_MASK = 0xffff
};

/* Numbers of section 0, all required. */
enum {
    KEY_D_MODEL = 1,
    KEY_N_LAYERS = 2,
    KEY_INPUT_KIND = 3,       /* b2s6_input_kind */
    KEY_INPUT_SIZE = 4,
    KEY_HEAD_SIZE = 5,        /* 0: no head */
    KEY_HEAD_BIAS = 6,
    KEY_HEAD_TIED = 7,
    KEY_FINAL_NORM = 8,       /* b2s6_norm */
    KEY_FINAL_NORM_EPS = 9,   /* the bits of a float */
    KEY_POOL = 10             /* b2s6_pool */
};

/* Numbers of a layer. A layer has none, and then the configuration of the layer before it, or all that its block needs. */
enum {
    KEY_BLOCK = 1,            /* b2s6_block */
    KEY_NORM = 2,             /* b2s6_norm */
    KEY_NORM_PLACE = 3,       /* NORM_PRE, NORM_POST */
    KEY_NORM_EPS = 4,         /* the bits of a float */
    KEY_BIDIRECTIONAL = 16,   /* s4 alone */
    KEY_D_INNER = 17,         /* all but s4, whose unit has the width d_model */
    KEY_D_CONV = 18,          /* mamba and mamba2, as the next */
    KEY_PROJECTION_BIASES = 19, /* BIAS_IN_PROJ | BIAS_OUT_PROJ */
    KEY_D_MLP = 20,           /* mamba2 alone, from here to KEY_D_SCOPE; 0: no gated MLP beside the unit */
    KEY_N_GROUPS = 21,        /* of heads that share B and C */
    KEY_GATED_NORM = 22,      /* GATED_NORM_... */
    KEY_GATED_NORM_GROUPS = 23, /* of channels that share a mean square */
    KEY_GATED_NORM_EPS = 24,  /* the bits of a float */
    KEY_DELTA_LEAST = 25,     /* the bits of floats: limits of delta */
    KEY_DELTA_MOST = 26,
    KEY_D_SCOPE = 27,         /* D_A_HEAD, D_A_CHANNEL */
    KEY_H = 32,               /* from here on: the unit, of every block that has one; mamba2: h, d_state and states */
    KEY_D_STATE = 33,
    KEY_COMPLEX = 34,
    KEY_A_SCOPE = 35,         /* b2s6_scope */
    KEY_B = 36,               /* B_HAS_WEIGHT | B_HAS_BIAS */
    KEY_C = 37,               /* C_SELECTIVE, C_CONSTANT */
    KEY_C_COMPLEX = 38,
    KEY_DELTA = 39,           /* b2s6_delta */
    KEY_DT_RANK = 40,         /* 0 unless delta is of low rank */
    KEY_DISCRETIZATION = 41,  /* ZERO_ORDER_HOLD, EULER */
    KEY_CONJUGATE = 42,
    KEY_SKIP = 43,
    KEY_STATES = 44           /* STATES_PLAIN, STATES_COMPENSATED */
};

/* Values that b2s6.h has no names for. */
enum { NORM_PRE = 1, NORM_POST = 2 };
enum { BIAS_IN_PROJ = 1, BIAS_OUT_PROJ = 2 };
enum { B_HAS_WEIGHT = 1, B_HAS_BIAS = 2 };
enum { C_SELECTIVE = 1, C_CONSTANT = 2 };
enum { ZERO_ORDER_HOLD = 1, EULER = 2 };
enum { STATES_PLAIN = 1, STATES_COMPENSATED = 2 };
enum { GATED_NORM_NONE = 0, GATED_NORM_AFTER = 1, GATED_NORM_BEFORE = 2 }; /* the gate */
enum { D_A_HEAD = 1, D_A_CHANNEL = 2 };

/* The largest values; the smallest are 1 where 0 says nothing. */
enum {
    FORMAT_MAX_WIDTH = 65536,            /* d_model, d_inner, features, h, dt_rank */
    FORMAT_MAX_SIZE = 1 << 24,           /* vocabulary, head */
    FORMAT_MAX_LAYERS = 4096,
    FORMAT_MAX_D_STATE = 4096,
    FORMAT_MAX_D_CONV = 64
};
#define FORMAT_MAX_EPS_BITS 0x7f7fffffu  /* of FLT_MAX */
#define FORMAT_MAX_DELTA_BITS 0x7f800000u /* infinity: no limit */

/* ---------------------------------------------------------------------------------------------------- the tensor table */

/* Offsets in an entry. */
enum {
    TENSOR_AT_ROLE = 0,       /* u16 */
    TENSOR_AT_FLAGS = 2,      /* u16 */
    TENSOR_AT_SECTION = 4,    /* u32: 0 input, 1 .. n_layers the layers, n_layers + 1 output */
    TENSOR_AT_TYPE = 8,       /* u32 */
    TENSOR_AT_LAYOUT = 12,    /* u32 */
    TENSOR_AT_COUNT = 16,     /* u32, as the next two */
    TENSOR_AT_ROWS = 20,
    TENSOR_AT_COLS = 24,
    TENSOR_AT_RESERVED = 28,  /* u32, zero */
    TENSOR_AT_OFFSET = 32,    /* u64, from the start of the file */
    TENSOR_AT_BYTES = 40      /* u64 */
};

/* Flags: a reader that does not know the tensor skips it. */
#define FORMAT_TENSOR_OPTIONAL 1u

enum { LAYOUT_PLAIN = 1, LAYOUT_PANELS = 2 };

/* As b2s6_type. Plain tensors are f32; N_TYPES is one more than the last. */
enum { TYPE_F32 = 1, TYPE_F16 = 2, TYPE_Q8 = 3, TYPE_Q4 = 4, N_TYPES = 5 };

enum {
    FORMAT_LANES = 16,        /* rows of a panel, channels of a group */
    Q8_GROUP = 64,            /* columns that share a scale */
    Q4_GROUP = 32
};

enum {
    ROLE_EMBEDDING = 1,
    ROLE_ENCODER = 2,
    ROLE_ENCODER_BIAS = 3,
    ROLE_NORM_WEIGHT = 16,
    ROLE_NORM_BIAS = 17,
    ROLE_IN_PROJ = 20,
    ROLE_IN_BIAS = 21,
    ROLE_CONV_WEIGHT = 22,
    ROLE_CONV_BIAS = 23,
    ROLE_IN_MLP = 24,         /* mamba2, as the next five */
    ROLE_IN_MLP_BIAS = 25,
    ROLE_IN_BC = 26,
    ROLE_IN_BC_BIAS = 27,
    ROLE_IN_DT = 28,          /* its bias is UNIT_DELTA */
    ROLE_GATED_NORM = 29,
    ROLE_UNIT = 32,           /* + UNIT_...: the unit that reads forwards */
    ROLE_UNIT_BACKWARDS = 64, /* + UNIT_...: the one that reads backwards */
    ROLE_OUT = 96,
    ROLE_OUT_BIAS = 97,
    ROLE_OUT_MLP = 98,
    ROLE_FINAL_NORM_WEIGHT = 112,
    ROLE_FINAL_NORM_BIAS = 113,
    ROLE_HEAD = 114,
    ROLE_HEAD_BIAS = 115
};

/* A unit's tensors, counted from its first role. */
enum {
    UNIT_W = 0,
    UNIT_X = 1,
    UNIT_DT = 2,
    UNIT_DELTA = 3,           /* delta's bias, or the constant step itself */
    UNIT_A = 4,
    UNIT_A_INVERSE = 5,
    UNIT_BC = 6,
    UNIT_B_BIAS = 7,
    UNIT_C = 8,
    UNIT_D = 9
};

/* The planes of A: one for a real A, three for a complex one. */
enum {
    A_DECAY = 0,              /* Re A / ln 2 */
    A_TURN = 1,               /* Im A / pi: half turns */
    A_TURN_LO = 2,            /* pi (Im A / pi - turn): radians that rounding took from turn */
    A_PLANES_REAL = 1,
    A_PLANES_COMPLEX = 3
};

/* ---------------------------------------------------------------------------------------------------- the named entries */

/* Offsets in an entry of the table. */
enum {
    ENTRY_AT_NAME = 0,        /* 1 to 23 bytes that are not zero, then zeros */
    ENTRY_AT_RESERVED = 24,   /* u64, zero */
    ENTRY_AT_OFFSET = 32,     /* u64, from the start of the file */
    ENTRY_AT_BYTES = 40       /* u64, at least 1 */
};

enum { FORMAT_ENTRY_NAME_BYTES = 24 }; /* the field: a name has at most one less */

/* ------------------------------------------------------------------------------------------------------------ snapshots */

#define SNAPSHOT_MAGIC "\x89" "B2S6S\r\n"

enum { SNAPSHOT_MAGIC_BYTES = 8, SNAPSHOT_VERSION = 2, SNAPSHOT_HEADER_BYTES = 64 };

/* Offsets in a snapshot. */
enum {
    SNAPSHOT_AT_MAGIC = 0,        /* 8 bytes */
    SNAPSHOT_AT_VERSION = 8,      /* u32 */
    SNAPSHOT_AT_CRC = 12,         /* u32: of the whole snapshot, taken with this field zero */
    SNAPSHOT_AT_FINGERPRINT = 16, /* u64: the model file's */
    SNAPSHOT_AT_STEPS = 24,       /* u64 */
    SNAPSHOT_AT_BYTES = 32,       /* u64: of the whole snapshot */
    SNAPSHOT_AT_ARITHMETIC = 40,  /* u32: FORMAT_ARITHMETIC */
    SNAPSHOT_AT_RESERVED = 44     /* 20 bytes, zero */
};

#endif
