/*
 * b2s6.h - run B2S6 state-space models, token by token, inside a C program
 *
 * B2S6 (Block-Biased S6; Yu and Erichson, "Block-Biased Mamba for Long-Range Sequence Processing", NeurIPS 2025,
 * arXiv 2505.09022) is a recurrent unit for long sequences. This library opens a trained model from a .b2s6 file and
 * steps its recurrence: constant memory and constant time for each token, however long the stream.
 *
 *     b2s6_model *model;
 *     b2s6_state *state;
 *     float scores[10];
 *     b2s6_model_open_file(&model, "digits.b2s6", NULL, NULL);
 *     b2s6_state_create(&state, model, NULL);
 *     while (next(&sample))
 *         b2s6_step_features(state, &sample, 1, scores, 10);
 *     b2s6_state_destroy(state);
 *     b2s6_model_close(model);
 *
 * What holds for every function:
 *
 * - The library never prints, aborts, exits, starts a thread, or reads the environment or the locale. Memory is allocated
 *   by the functions that say so, through the caller's allocator, one allocation a handle; nothing else allocates.
 * - Every function that can fail returns a b2s6_status. After a failure everything the call was given is as it was
 *   before, output buffers too.
 * - A NULL pointer where a comment does not allow one is B2S6_ERROR_ARGUMENT, not a crash.
 * - A model is immutable once open: any number of threads may use one model at once. A state is one stream: one thread at
 *   a time. Different states are independent, of the same model or not. The library has no global variables. (One thing is
 *   the process's, not the library's: the first call that opens a model with AMX kernels asks Linux for the process's
 *   permission to use AMX tiles, even if the file then turns out to be wrong.)
 * - The same model file and the same input give the same output, bit for bit, on every instruction set, compiler and
 *   optimisation level, and for every way to split a stream into steps and runs (docs/arithmetic.md). The caller's thread
 *   must be in the default floating-point environment: round to nearest, denormals on, no traps. (With traps enabled, by
 *   feenableexcept for instance, harmless underflows and inexact results inside the library would end the program.)
 * - Floats are IEEE 754 binary32. Arrays are contiguous, row-major; a comment (L, width) gives the shape.
 * - A stream begins with a new state, or after b2s6_state_reset: all memory of the past is zero. Nothing else marks a
 *   beginning; a language model that was trained with a first token must be given that token.
 * - Output rows are the head's values as they are. For a classifier or a language model these are logits: the largest is
 *   the answer, and softmax(row) are the probabilities. Nothing is applied to them.
 *
 * All functions are here since version 0.2.0, a declared break with 0.1, unless they say otherwise.
 *
 * License: MIT (see LICENSE).
 */
#ifndef B2S6_H
#define B2S6_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------ version and linkage */

#define B2S6_VERSION_MAJOR 0
#define B2S6_VERSION_MINOR 2
#define B2S6_VERSION_PATCH 0

/* As one number, for #if: 10000 * major + 100 * minor + patch. */
#define B2S6_VERSION (10000 * B2S6_VERSION_MAJOR + 100 * B2S6_VERSION_MINOR + B2S6_VERSION_PATCH)

#ifndef B2S6_API
#  if defined(__GNUC__) && !defined(_WIN32)
#    define B2S6_API __attribute__((visibility("default")))
#  else
#    define B2S6_API
#  endif
#endif

/* On functions whose status must not be dropped. */
#if defined(__GNUC__)
#  define B2S6_CHECKED __attribute__((warn_unused_result))
#else
#  define B2S6_CHECKED
#endif

/*
 * The version of the library that is running, as B2S6_VERSION. It may be newer than the header that the program was compiled
 * with: a program runs on every later library of the same major version (before 1.0: of the same minor version).
 */
B2S6_API uint32_t b2s6_version(void);

/* The same as text, "0.2.0". Static; never NULL. */
B2S6_API const char *b2s6_version_text(void);

/* --------------------------------------------------------------------------------------------------------------- status */

/* Values are pinned: they never change their meaning and are never reused. New ones may come. */
typedef enum b2s6_status {
    B2S6_OK = 0,

    /* the call */
    B2S6_ERROR_ARGUMENT = 1,      /* NULL, zero, an unknown option or an impossible count where that is not allowed */
    B2S6_ERROR_MEMORY = 2,        /* the allocator returned NULL */
    B2S6_ERROR_SIZE = 3,          /* the caller's memory, or the room for output, is too small */
    B2S6_ERROR_ALIGNMENT = 4,     /* the caller's memory is not aligned as asked */
    B2S6_ERROR_INPUT_KIND = 5,    /* tokens for a model of features, or the reverse, or features of another width */
    B2S6_ERROR_TOKEN = 6,         /* a token outside the vocabulary */
    B2S6_ERROR_VALUE = 7,         /* an infinite feature, or one that is not a number */
    B2S6_ERROR_BIDIRECTIONAL = 8, /* the model needs the whole sequence, it cannot be stepped */
    B2S6_ERROR_MODEL = 9,         /* the two states belong to different models */
    B2S6_ERROR_ISA = 10,          /* an instruction set that is unknown, or that this machine cannot run */
    B2S6_ERROR_SNAPSHOT = 11,     /* not a snapshot, or cut or damaged */
    B2S6_ERROR_ARITHMETIC = 12,   /* the machine, or the way the library was compiled, does not compute as it must */

    /* the model file */
    B2S6_ERROR_FILE = 32,         /* cannot be opened or read */
    B2S6_ERROR_MAGIC = 33,        /* not a .b2s6 file; an empty one too */
    B2S6_ERROR_VERSION = 34,      /* a version of the format or of the arithmetic that this library does not have */
    B2S6_ERROR_TRUNCATED = 35,    /* shorter than it says it is */
    B2S6_ERROR_CHECKSUM = 36,     /* damaged */
    B2S6_ERROR_FORMAT = 37,       /* a field that the format does not allow */
    B2S6_ERROR_TENSOR = 38,       /* a tensor missing, repeated, or of another type or shape than the configuration needs */
    B2S6_ERROR_WEIGHTS = 39,      /* a weight that is infinite or not a number, or an A that is not stable */
    B2S6_ERROR_UNSUPPORTED = 40,  /* well-formed, but needs something that this library does not have */

    B2S6_STATUS_PIN = 0x7fffffff  /* not a status: fixes the size of the enumeration */
} b2s6_status;

/* One line of English for a status, without a newline; for an unknown value it says so. Static; never NULL. */
B2S6_API const char *b2s6_status_text(b2s6_status status);

/*
 * Checks by built-in values that this build computes on this machine, in this thread's floating-point environment, as the
 * results are defined: rounding to nearest, denormals on, fused operations rounded once and no others fused, sums in the
 * order written, exact division and roots. Takes microseconds. Meant for a device's first start, and for hosts that
 * change the environment. Errors: ARITHMETIC.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_self_test(void);

/* What was wrong with a model file, and where. The structure is final: it will not grow. */
typedef struct b2s6_error {
    b2s6_status status;
    uint32_t reserved;  /* 0 */
    uint64_t offset;    /* of the offending bytes, from the start of the file; 0 when no place can be named */
    char message[240];  /* one line, zero-terminated: "layer 2, unit A: the real part must be negative (channel 5, state 0)" */
} b2s6_error;

/* ---------------------------------------------------------------------------------------------------- instruction sets */

/*
 * The instruction sets that the library has kernels for, by index from 0: "portable", then the machine family's own
 * from weakest to strongest: "sse2", "avx2", "avx512", "avx512vnni", "amx" on x86-64; "neon", "neondot" on AArch64. All
 * give the same bits. A model uses the last that is available, or the one that its open options name, for hosts that
 * must not use wide vectors and for tests.
 *
 * b2s6_isa_name gives NULL beyond the last. b2s6_isa_is_available asks the processor and the operating system: 1 or 0.
 */
B2S6_API const char *b2s6_isa_name(size_t index);
B2S6_API int b2s6_isa_is_available(size_t index);

/*
 * Which parts this build of the library has (firmware leaves parts out: src/switches.h): the B2S6_PART_... of the parts
 * that are there, or-ed. A model that needs another is refused with UNSUPPORTED when it is opened.
 */
#define B2S6_PART_FILES 0x1u         /* b2s6_model_open_file */
#define B2S6_PART_MALLOC 0x2u        /* malloc where the caller gives no allocator */
#define B2S6_PART_MESSAGES 0x4u      /* words in errors */
#define B2S6_PART_VERIFY 0x8u        /* weights are read and checked */
#define B2S6_PART_ISAS 0x10u         /* kernels for instruction sets, not only portable ones */
#define B2S6_PART_S4 0x100u          /* s4 blocks */
#define B2S6_PART_MAMBA 0x200u       /* mamba blocks */
#define B2S6_PART_BIDIRECTIONAL 0x400u
#define B2S6_PART_NORM_LAYER 0x800u
#define B2S6_PART_NORM_RMS 0x1000u
#define B2S6_PART_DELTA_LOWRANK 0x2000u
#define B2S6_PART_REAL 0x4000u       /* real A, B and states */
#define B2S6_PART_COMPLEX 0x8000u    /* complex ones */
#define B2S6_PART_OTHER_UNITS 0x10000u /* units other than B2S6 itself */
#define B2S6_PART_COMPENSATED 0x20000u /* compensated states */
#define B2S6_PART_MAMBA2 0x40000u    /* mamba2 blocks */
#define B2S6_PART_MLP 0x80000u       /* mlp blocks */
#define B2S6_PART_F16 0x1000000u     /* weights of these types */
#define B2S6_PART_Q8 0x2000000u
#define B2S6_PART_Q4 0x4000000u
B2S6_API uint32_t b2s6_parts(void);

/* ------------------------------------------------------------------------------------------------------------- memory */

/* Memory that a caller places handles and workspaces in must be aligned to this many bytes, on every platform. */
#define B2S6_ALIGNMENT 64

/*
 * No call takes more stack than this many bytes, callbacks of the host apart, in a build with -O2, -O3 or -Os, by gcc or
 * clang, on every instruction set. With less optimisation (-O0, -O1) it is up to four times as much.
 * Later versions of the same major version keep to it. Firmware needs less on most targets and for most models:
 * docs/firmware.md has the figures.
 */
#if defined(B2S6_SMALL) && defined(B2S6_NO_MAMBA) && defined(B2S6_NO_OTHER_UNITS) && UINTPTR_MAX == 0xffffffffu
#  define B2S6_STACK_SIZE 1280
#elif defined(B2S6_SMALL) && (defined(B2S6_NO_MAMBA2) || defined(B2S6_NO_REAL) || defined(B2S6_NO_OTHER_UNITS)) && \
    UINTPTR_MAX == 0xffffffffu
#  define B2S6_STACK_SIZE 1664
#elif defined(B2S6_SMALL) && UINTPTR_MAX == 0xffffffffu
#  define B2S6_STACK_SIZE 1792
#else
#  define B2S6_STACK_SIZE 16384
#endif

/* Before a definition: aligned so. Define it yourself for a compiler that is not among these. */
#ifndef B2S6_ALIGNED
#  if defined(__GNUC__)
#    define B2S6_ALIGNED __attribute__((aligned(64)))
#  elif defined(_MSC_VER) || defined(__ICCARM__) || defined(__ICCRISCV__)
#    define B2S6_ALIGNED __declspec(align(64))
#  elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#    define B2S6_ALIGNED _Alignas(64)
#  endif
#endif

/*
 * Where the convenience constructors get their memory. allocate returns size bytes aligned to alignment (a power of
 * two, at most B2S6_ALIGNMENT) or NULL; release takes such a pointer back with the size that was asked for, on whatever
 * thread destroys the handle. user is passed through. The structure is copied into the handle that it allocated. A NULL
 * b2s6_allocator means malloc and free; one that lacks a function is ARGUMENT wherever it is given. The structure is
 * final: it will not grow.
 */
typedef struct b2s6_allocator {
    void *user;
    void *(*allocate)(void *user, size_t size, size_t alignment);
    void (*release)(void *user, void *memory, size_t size);
} b2s6_allocator;

/* --------------------------------------------------------------------------------------------------------------- model */

/* A trained model, open for use. Immutable, shared freely between threads. */
typedef struct b2s6_model b2s6_model;

/*
 * How far open reads into the weights. Header, configuration, tensor table and every size are always checked in full,
 * and no content of the weights can make the library read or write outside its memory. (Weights can make it slower: on
 * instruction sets without fused multiply-add, and on some processors, steps over subnormal numbers take up to four
 * times as long; docs/performance.md has the figures.) Weights that are infinite, not a number or unstable merely make the
 * output meaningless; finding them, and damage to them, takes reading the whole file.
 *
 * 0                    read and check all weights if the file is at most 4 MiB; of a larger file check the small tensors
 *                      that steer the recurrence (all but the matrices) and leave the matrices unread
 * B2S6_OPEN_VERIFY     read and check all weights and the checksum of the data
 * B2S6_OPEN_TRUST      check no weights: for a file that was verified when it was installed
 */
#define B2S6_OPEN_VERIFY 1u
#define B2S6_OPEN_TRUST 2u

/*
 * Fill with B2S6_OPEN_OPTIONS, then set what should differ. It may grow; struct_size tells the library how much is there.
 * ARGUMENT: a flag, or bytes beyond what this library knows, that are not 0; a struct_size that ends inside a member; VERIFY
 * and TRUST together.
 */
typedef struct b2s6_open_options {
    uint32_t struct_size;             /* sizeof(b2s6_open_options) */
    uint32_t flags;                   /* B2S6_OPEN_... */
    const b2s6_allocator *allocator;  /* NULL: malloc and free */
    const char *isa;                  /* the instruction set to use, by b2s6_isa_name; NULL: the best of this machine */
} b2s6_open_options;

#define B2S6_OPEN_OPTIONS { sizeof(b2s6_open_options), 0, NULL, NULL }

/*
 * Opens the model file at path (as fopen takes it). The file is mapped where the system can do that, and read into the
 * same single allocation as the handle otherwise; it must not change while the model is open. (A mapped file that another
 * process truncates raises SIGBUS at the next read, in whatever program: install files by renaming, or open from memory.)
 *
 * On success *model is the handle, to be closed with b2s6_model_close. On failure *model is NULL, and error, unless
 * NULL, says what is wrong and where. options may be NULL. However the file was made, maliciously too, open reads nothing
 * outside it. Errors: MEMORY and ALIGNMENT (the allocator), ISA, FILE and all others from 32 on.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_open_file(b2s6_model **model, const char *path,
                                                       const b2s6_open_options *options, b2s6_error *error);

/*
 * Opens a model file that is in memory: the size bytes at data, in RAM, a mapping or flash. Nothing is copied (except on
 * a big-endian machine): data stays the caller's and must stay unchanged until the model is closed. data must be aligned
 * to 4 bytes; B2S6_ALIGNMENT is faster. Otherwise as b2s6_model_open_file. Errors: ALIGNMENT, MEMORY, ISA and all from 33 on.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_open_memory(b2s6_model **model, const void *data, size_t size,
                                                         const b2s6_open_options *options, b2s6_error *error);

/*
 * How many bytes a handle for this model file takes: *handle_size, for b2s6_model_place. Checks the file's header and tensor
 * table first, as open does. Errors: as b2s6_model_open_memory without MEMORY.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_size(size_t *handle_size, const void *data, size_t size, b2s6_error *error);

/*
 * The same for a model of n_layers layers as a constant expression, so that a program can reserve the memory when it is
 * compiled (b2s6 embed writes such programs' headers). It holds for exactly this version of the library: for programs that
 * link it statically. On a big-endian machine the size of the model file, rounded up to 64, comes on top.
 */
#define B2S6_MODEL_SIZE(n_layers) \
    (((sizeof(void *) > 4 ? 448 + (size_t)(n_layers) * 512 : 320 + (size_t)(n_layers) * 352) + 63) / 64 * 64)

/*
 * As b2s6_model_open_memory, with the handle placed in the caller's memory: memory_size bytes at memory, aligned to
 * B2S6_ALIGNMENT, at least what b2s6_model_size gave. Allocates nothing: options->allocator is looked at (ARGUMENT if
 * it lacks a function) and never called. The memory is the caller's again after b2s6_model_close (which then releases
 * nothing). Weights are checked before the memory is touched: after a failure it is as it was. Errors: SIZE, ALIGNMENT,
 * ISA and those of b2s6_model_size.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_place(b2s6_model **model, void *memory, size_t memory_size, const void *data,
                                                   size_t size, const b2s6_open_options *options, b2s6_error *error);

/* Closes a model and gives back what open took. Its states must be destroyed first. NULL is allowed. */
B2S6_API void b2s6_model_close(b2s6_model *model);

/* The instruction set that a model uses, as b2s6_isa_name; NULL for NULL. */
B2S6_API const char *b2s6_model_isa(const b2s6_model *model);

/* Pinned, as all enumerations below. */
typedef enum b2s6_input_kind { B2S6_TOKENS = 1, B2S6_FEATURES = 2, B2S6_INPUT_KIND_PIN = 0x7fffffff } b2s6_input_kind;
typedef enum b2s6_block {
    B2S6_BLOCK_S4 = 1, B2S6_BLOCK_MAMBA = 2, B2S6_BLOCK_MAMBA2 = 3, B2S6_BLOCK_MLP = 4, B2S6_BLOCK_PIN = 0x7fffffff
} b2s6_block;
typedef enum b2s6_norm {
    B2S6_NORM_NONE = 0, B2S6_NORM_LAYER = 1, B2S6_NORM_RMS = 2, B2S6_NORM_BATCH = 3, B2S6_NORM_PIN = 0x7fffffff
} b2s6_norm;
typedef enum b2s6_pool {
    B2S6_POOL_NONE = 0, B2S6_POOL_MEAN = 1, B2S6_POOL_LAST = 2, B2S6_POOL_PIN = 0x7fffffff
} b2s6_pool;
typedef enum b2s6_scope {
    B2S6_SCOPE_LAYER = 1, B2S6_SCOPE_BLOCK = 2, B2S6_SCOPE_CHANNEL = 3,
    B2S6_SCOPE_HEAD = 4, /* one value a block, for all its states: mamba2 */
    B2S6_SCOPE_PIN = 0x7fffffff
} b2s6_scope;
typedef enum b2s6_delta {
    B2S6_DELTA_BLOCK = 1, B2S6_DELTA_LOWRANK = 2, B2S6_DELTA_CONSTANT = 3,
    B2S6_DELTA_INPUT = 4, /* one a block, from the input of the layer, as B and C are: mamba2 */
    B2S6_DELTA_PIN = 0x7fffffff
} b2s6_delta;

/* The norm between a mamba2 block's unit and its out projection, and whether it comes before the gate or after. */
typedef enum b2s6_gated_norm {
    B2S6_GATED_NORM_NONE = 0, B2S6_GATED_NORM_AFTER = 1, B2S6_GATED_NORM_BEFORE = 2, B2S6_GATED_NORM_PIN = 0x7fffffff
} b2s6_gated_norm;

/* How a matrix's weights are stored: floats, halves, or integers of 8 or 4 bits with a scale for 64 or 32 of them. */
typedef enum b2s6_type {
    B2S6_F32 = 1, B2S6_F16 = 2, B2S6_Q8 = 3, B2S6_Q4 = 4, B2S6_TYPE_PIN = 0x7fffffff
} b2s6_type;

/*
 * What a model is. Set struct_size to sizeof(b2s6_model_info) before b2s6_model_describe; the library fills no more than that,
 * and zeroes what it does not know. Truth values are 0 or 1. New members come at the end.
 */
typedef struct b2s6_model_info {
    uint32_t struct_size;
    uint32_t arithmetic;       /* number of the definition that fixes every bit (docs/arithmetic.md) */
    uint64_t fingerprint;      /* two CRC-32 of the file, against mix-ups, not forgery: snapshots and archives name it */
    uint64_t parameter_count;  /* weights as trained, without padding; a tied head counts once */
    uint64_t file_size;        /* bytes */
    b2s6_input_kind input_kind;
    uint32_t input_size;       /* vocabulary, or width of a feature vector */
    uint32_t output_size;      /* width of an output row: head size, or d_model without a head */
    uint32_t head_size;        /* 0: no head */
    uint32_t head_tied;        /* the head's matrix is the embedding */
    uint32_t d_model;
    uint32_t n_layers;
    uint32_t bidirectional;    /* a layer is: the model needs whole sequences */
    b2s6_norm final_norm;
    b2s6_pool pool;
    b2s6_type weight_type;     /* of most weights; some matrices may be of a more precise type */
    uint32_t metadata_count;   /* pairs for b2s6_model_metadata_at */
    uint32_t entry_count;      /* for b2s6_model_entry_at */
    uint32_t reserved;         /* 0 */
} b2s6_model_info;

/* Fills *info. Errors: ARGUMENT (also a struct_size that ends inside a member). */
B2S6_API b2s6_status b2s6_model_describe(const b2s6_model *model, b2s6_model_info *info);

/*
 * What one layer of a model is: its block and the unit in it; layers of one model may differ. struct_size as above. A member
 * that the kind of block does not have is 0.
 */
typedef struct b2s6_layer_info {
    uint32_t struct_size;
    b2s6_block block;
    b2s6_norm norm;
    uint32_t norm_post;        /* norm(x + f(x)) rather than x + f(norm(x)) */
    uint32_t bidirectional;
    uint32_t d_inner;          /* width of the unit; of an mlp block its own */
    uint32_t d_conv;           /* taps of the convolution; 0 without one */
    uint32_t h;                /* blocks of the unit; p = d_inner / h channels each */
    uint32_t d_state;          /* n: states a channel, complex or real */
    uint32_t complex_state;    /* A, B and the states are complex */
    uint32_t compensated;      /* states carry what rounding took from them */
    b2s6_scope a_scope;        /* who shares an A */
    uint32_t b_weight;         /* B depends on the input */
    uint32_t b_bias;           /* B has the channel-specific bias that gives B2S6 its name */
    uint32_t c_selective;
    uint32_t c_complex;
    b2s6_delta delta;
    uint32_t dt_rank;          /* of low-rank delta, else 0 */
    uint32_t euler;            /* Bbar = delta B rather than zero-order hold */
    uint32_t conjugate;        /* a state stands for a conjugate pair */
    uint32_t skip;             /* has D */
    uint32_t reserved;         /* 0 */
    uint32_t n_groups;         /* mamba2: groups of blocks that share B and C */
    uint32_t d_mlp;            /* mamba2: width of a gated MLP beside the unit; 0: none */
    b2s6_gated_norm gated_norm;
    uint32_t norm_groups;      /* groups of channels with a mean square each; 0 without a gated norm */
} b2s6_layer_info;

/* Fills *info for layer index, from 0. Errors: ARGUMENT (also an index beyond the last). */
B2S6_API b2s6_status b2s6_layer_describe(const b2s6_model *model, size_t index, b2s6_layer_info *info);

/*
 * The metadata of the file, UTF-8 strings that live as long as the model. By key: the value, or NULL if there is none.
 * By index, from 0 to metadata_count - 1: the key, with the value in *value unless value is NULL; NULL beyond the last.
 */
B2S6_API const char *b2s6_model_metadata(const b2s6_model *model, const char *key);
B2S6_API const char *b2s6_model_metadata_at(const b2s6_model *model, size_t index, const char **value);

/*
 * Named entries of the file: bytes that the library carries and does not look into, such as a tokenizer. They live as long as
 * the model and are aligned to 64 bytes in the file. By name: the bytes, with their number in *size unless size is NULL;
 * NULL if there is none. By index, from 0 to entry_count - 1: the name, with the bytes in *data and their number in *size
 * unless those are NULL; NULL beyond the last.
 */
B2S6_API const void *b2s6_model_entry(const b2s6_model *model, const char *name, size_t *size);
B2S6_API const char *b2s6_model_entry_at(const b2s6_model *model, size_t index, const void **data, size_t *size);

/* --------------------------------------------------------------------------------------------------------------- state */

/* One stream in flight: everything the model remembers of it, and the scratch memory of one step. One thread at a time. */
typedef struct b2s6_state b2s6_state;

/*
 * The exact size of a state of this model in bytes, for b2s6_state_place. 0 for NULL, SIZE_MAX if this machine cannot address
 * one.
 */
B2S6_API size_t b2s6_state_size(const b2s6_model *model);

/*
 * Makes a state at the beginning of a stream, in memory from the allocator (NULL: malloc and free). The model must stay open
 * as long as the state lives. On failure *state is NULL. Errors: MEMORY, ALIGNMENT (the allocator).
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_create(b2s6_state **state, const b2s6_model *model,
                                                    const b2s6_allocator *allocator);

/*
 * The same in the caller's memory: at least b2s6_state_size(model) bytes, aligned to B2S6_ALIGNMENT. Allocates nothing.
 * The memory is the caller's again after the last use of the state; b2s6_state_destroy is allowed but not needed.
 * Errors: SIZE, ALIGNMENT.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_place(b2s6_state **state, const b2s6_model *model, void *memory,
                                                   size_t memory_size);

/* Back to the beginning of a stream; the same bits as a new state. */
B2S6_API b2s6_status b2s6_state_reset(b2s6_state *state);

/*
 * Makes to the same stream at the same place as from (a fork): afterwards the two are independent and answer alike. Both must
 * be states of one model handle. Errors: MODEL.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_copy(b2s6_state *to, const b2s6_state *from);

/* Gives back what b2s6_state_create took. NULL is allowed. */
B2S6_API void b2s6_state_destroy(b2s6_state *state);

/* The model of a state; NULL for NULL. */
B2S6_API const b2s6_model *b2s6_state_model(const b2s6_state *state);

/* How many steps this stream has taken since its beginning. 0 for NULL. */
B2S6_API uint64_t b2s6_state_steps(const b2s6_state *state);

/* A pointer of the host's that a state carries: NULL at first, unchanged by reset, copy and restore. NULL for NULL. */
B2S6_API void b2s6_state_set_user(b2s6_state *state, void *user);
B2S6_API void *b2s6_state_user(const b2s6_state *state);

/*
 * A state that travels: its bytes as a snapshot, the same on every machine (docs/format.md), with a checksum and the
 * fingerprint of the model file. A stream saved on a device can go on on a server, with the same or a later version of the
 * library.
 *
 * b2s6_snapshot_size is the exact size of every snapshot of a state of this model; 0 for NULL, SIZE_MAX if there is no such
 * state on this machine. b2s6_state_save writes that many bytes to snapshot, which has room for size bytes (SIZE if that is
 * too little); the memory needs no alignment. b2s6_state_restore reads a snapshot from the beginning of size bytes, which may
 * be more than it takes, and puts the state where the stream was when it was saved. A snapshot that is damaged in any way
 * (SNAPSHOT), of another format or arithmetic (VERSION) or of another model file (MODEL) leaves the state as it was.
 */
B2S6_API size_t b2s6_snapshot_size(const b2s6_model *model);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_save(const b2s6_state *state, void *snapshot, size_t size);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_restore(b2s6_state *state, const void *snapshot, size_t size);

/* --------------------------------------------------------------------------------------------------------------- steps */

/*
 * Takes one step: reads one token (0 .. input_size - 1), or one vector of n_features features (n_features = input_size finite
 * values), advances the state and writes one output row of output_size values to out, which has room for out_size floats. Of
 * a pooled model the row is the answer for the stream so far. out may be NULL: the stream is advanced and the head is not
 * computed. features and out may overlap. Errors, before anything moves: INPUT_KIND (also a wrong n_features), SIZE
 * (out_size), TOKEN, VALUE, BIDIRECTIONAL.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_step_token(b2s6_state *state, int32_t token, float *out, size_t out_size);
B2S6_API B2S6_CHECKED b2s6_status b2s6_step_features(b2s6_state *state, const float *features, size_t n_features, float *out,
                                                     size_t out_size);

/*
 * B2S6_RUN_LAST      write one row only, the one after the last step
 * B2S6_RUN_HIDDEN    write rows before the head: d_model values each, after the final norm and the pooling (embeddings)
 */
#define B2S6_RUN_LAST 1u
#define B2S6_RUN_HIDDEN 2u

/*
 * The host's threads: a parallel-for that the library hands its work to. run must call task(context, i) once for every
 * i from 0 to n_tasks - 1, in any order and on any threads, and return when all have returned. n_tasks, at most 4096,
 * is into how many parts the library cuts each piece of work: the number of threads, or a few times that if threads
 * take the next task when they are done with one; some pieces have fewer. No part has less than about least_work
 * multiply-adds, and what is not worth two such parts is done on the caller's thread; 0 is the library's own choice,
 * for threads that wake within some microseconds. The results depend on neither. What the caller's thread wrote before
 * run was called must be visible to every task, and what the tasks wrote to the caller when run returns, as mutexes and
 * joins give it. run must not fail: if threads cannot be had it calls the tasks itself. The structure is final: it will
 * not grow.
 */
typedef struct b2s6_parallel {
    void *user;
    size_t n_tasks;
    size_t least_work;
    void (*run)(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context);
} b2s6_parallel;

/*
 * What flows through a model, for hosts that measure it (calibration of quantised weights): during a run or a batch,
 * see is called with the input of every matrix product before it is taken, on the caller's thread, in the order of the
 * layers. section and role name the matrix as docs/format.md does (section 0 and n_layers + 1: encoder and head). rows
 * (n_rows, width) are stride floats apart and live as long as the call. The structure is final: it will not grow.
 */
typedef struct b2s6_observer {
    void *user;
    void (*see)(void *user, uint32_t section, uint32_t role, const float *rows, size_t n_rows, size_t width, size_t stride);
} b2s6_observer;

/*
 * Fill with B2S6_RUN_OPTIONS, then set what should differ. It may grow; struct_size tells the library how much is there.
 * b2s6_run_... and b2s6_batch_... give ARGUMENT for a flag, or bytes beyond what this library knows, that are not 0; for a
 * struct_size that ends inside a member; for a workspace_size other than 0 without a workspace; for a parallel whose run is
 * NULL or whose n_tasks is 0 or above 4096; for an observer whose see is NULL.
 */
typedef struct b2s6_run_options {
    uint32_t struct_size;   /* sizeof(b2s6_run_options) */
    uint32_t flags;         /* B2S6_RUN_... */
    void *workspace;        /* aligned to B2S6_ALIGNMENT (else ALIGNMENT); NULL: none, and workspace_size is 0 */
    size_t workspace_size;  /* bytes */
    const b2s6_parallel *parallel; /* NULL: all on the caller's thread */
    const b2s6_observer *observer; /* NULL: nobody looks */
} b2s6_run_options;

#define B2S6_RUN_OPTIONS { sizeof(b2s6_run_options), 0, NULL, 0, NULL, NULL }

/*
 * The workspace for a run of n_steps steps, or a batch of as many streams. A causal model takes any size, or none: it works
 * through a run in as few chunks as the workspace has room for, and this is the size at which more would not be faster. A
 * bidirectional model needs this much, since it holds the whole sequence. SIZE_MAX if there is no such size on this machine,
 * 0 for NULL or no steps. The workspace holds nothing between calls; any number of states can share one, one call at a
 * time.
 */
B2S6_API size_t b2s6_workspace_size(const b2s6_model *model, size_t n_steps);

/*
 * Takes n_steps steps at once: tokens (n_steps), or features (n_steps, n_features) with n_features = input_size. The
 * results are the same bits as from single steps, the work is done faster. Rows go to out (n_steps, width), one a step,
 * width = output_size, or d_model with B2S6_RUN_HIDDEN; one row only with B2S6_RUN_LAST; none if out is NULL. out has
 * room for out_size floats in all. options may be NULL.
 *
 * Of a bidirectional model a run is a whole sequence: it starts from the beginning of a stream, and the next run starts
 * anew. With pooling it has one row in all.
 *
 * n_steps = 0 does nothing, except for a bidirectional model, which has no answer then. All input is checked before the
 * first step is taken. Errors: ARGUMENT (no steps of a bidirectional model; more rows of features than memory can hold),
 * INPUT_KIND (also a wrong n_features), TOKEN, VALUE, SIZE (out_size, workspace), ALIGNMENT (workspace).
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_run_tokens(b2s6_state *state, const int32_t *tokens, size_t n_steps, float *out,
                                                  size_t out_size, const b2s6_run_options *options);
B2S6_API B2S6_CHECKED b2s6_status b2s6_run_features(b2s6_state *state, const float *features, size_t n_features,
                                                    size_t n_steps, float *out, size_t out_size,
                                                    const b2s6_run_options *options);

/*
 * One step of each of n_states streams of one model: tokens (n_states), or features (n_states, n_features); rows go to out
 * (n_states, width), with room for out_size floats in all, width as in a run, or nowhere if out is NULL. The weights are
 * read once for as many streams as the workspace has room for (b2s6_workspace_size(model, n_states)). Each stream gets the
 * bits that it would have had alone. options may be NULL; B2S6_RUN_HIDDEN is the only flag. All is checked before any
 * stream moves. Errors: ARGUMENT (no state, a state given twice, more rows than memory can hold), MODEL (states of more
 * than one model handle), INPUT_KIND, TOKEN, VALUE, BIDIRECTIONAL, SIZE (out_size), ALIGNMENT (workspace).
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_batch_tokens(b2s6_state *const *states, size_t n_states, const int32_t *tokens,
                                                    float *out, size_t out_size, const b2s6_run_options *options);
B2S6_API B2S6_CHECKED b2s6_status b2s6_batch_features(b2s6_state *const *states, size_t n_states, const float *features,
                                                      size_t n_features, float *out, size_t out_size,
                                                      const b2s6_run_options *options);

/* -------------------------------------------------------------------------------------------------------- token models */

/*
 * The output rows of a language model are logits: any numbers, of which the softmax is the probability of each token to come
 * next. What follows works on one such row of n values, 1 <= n <= B2S6_LOGITS_MAX. It allocates nothing, needs no model, and
 * gives the same bits everywhere.
 *
 * Of equal logits the lower token comes first. A NaN counts as minus infinity, which has the probability 0. If there are
 * logits of plus infinity, they share the probability 1 alike. A row whose logits are all minus infinity or NaN has no
 * probabilities.
 */
#define B2S6_LOGITS_MAX 8388608

/*
 * The natural logarithm of a token's probability, within 4 2^-24 max(1, |it|) of the exact value for finite logits; NaN if
 * there are no probabilities, n is out of range, or token is not in 0 .. n - 1. Divided by -ln 2 it is the token's surprise in
 * bits.
 */
B2S6_API float b2s6_log_probability(const float *logits, size_t n, int32_t token);

/*
 * The same for all tokens: out (n), which may be logits itself. Errors: ARGUMENT (n), VALUE (no probabilities: out is as it
 * was).
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_log_softmax(const float *logits, size_t n, float *out);

/* The likeliest token; -1 if there are no probabilities, n is 0 or logits is NULL. */
B2S6_API int32_t b2s6_argmax(const float *logits, size_t n);

/*
 * The k likeliest tokens, likeliest first, to tokens (k). Returns their number: k, or less if fewer have a probability. Meant
 * for small k: the time grows with k for every token that is among the k likeliest so far.
 */
B2S6_API size_t b2s6_top_k(const float *logits, size_t n, size_t k, int32_t *tokens);

/*
 * How the next token is drawn. Fill with B2S6_SAMPLING, which is the softmax as it is, then set what should differ. It is done
 * in the order of the members. It may grow; struct_size tells the library how much is there.
 */
typedef struct b2s6_sampling {
    uint32_t struct_size;      /* sizeof(b2s6_sampling) */
    float repetition_penalty;  /* above 0; logits of recent tokens are divided by it if positive, else multiplied; 1: none */
    float temperature;         /* logits are divided by it; 0: the likeliest token, whatever follows here */
    uint32_t top_k;            /* only so many likeliest tokens; 0: all */
    float top_p;               /* of these only the likeliest, as many as this share of their probability takes; 0 .. 1 */
    float min_p;               /* of these only those with this share of the likeliest one's probability or more; 0 .. 1 */
    const int32_t *recent;     /* (n_recent): tokens for the penalty, each counts once; NULL if n_recent is 0 */
    size_t n_recent;
} b2s6_sampling;

#define B2S6_SAMPLING { sizeof(b2s6_sampling), 1.0f, 1.0f, 0, 1.0f, 0.0f, NULL, 0 }

/*
 * Draws a token: *token. how may be NULL. *generator is the state of the random numbers, any number to begin with (the seed);
 * each draw moves it on, temperature 0 too. scratch (n) is the caller's memory; what it holds afterwards has no meaning.
 * Probabilities are whole multiples of about 2^-31 of the likeliest one's: what is less likely than that is never drawn.
 * Errors: ARGUMENT (n, a member of how out of its range), TOKEN (a recent one outside 0 .. n - 1), VALUE (no probabilities).
 * After an error *generator and *token are as they were.
 */
B2S6_API B2S6_CHECKED b2s6_status b2s6_sample(int32_t *token, const float *logits, size_t n, const b2s6_sampling *how,
                                              uint64_t *generator, uint32_t *scratch);

#ifdef __cplusplus
}
#endif
#endif
