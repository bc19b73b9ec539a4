#ifndef B2S6_H
#define B2S6_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#define B2S6_VERSION_MAJOR 0
#define B2S6_VERSION_MINOR 2
#define B2S6_VERSION_PATCH 0
#define B2S6_VERSION (10000 * B2S6_VERSION_MAJOR + 100 * B2S6_VERSION_MINOR + B2S6_VERSION_PATCH)
#ifndef B2S6_API
#  if defined(__GNUC__) && !defined(_WIN32)
#    define B2S6_API __attribute__((visibility("default")))
#  else
#    define B2S6_API
#  endif
#endif
#if defined(__GNUC__)
#  define B2S6_CHECKED __attribute__((warn_unused_result))
#else
#  define B2S6_CHECKED
#endif
B2S6_API uint32_t b2s6_version(void);
B2S6_API const char *b2s6_version_text(void);
typedef enum b2s6_status {
    B2S6_OK = 0,
    B2S6_ERROR_ARGUMENT = 1,
    B2S6_ERROR_MEMORY = 2,
    B2S6_ERROR_SIZE = 3,
    B2S6_ERROR_ALIGNMENT = 4,
    B2S6_ERROR_INPUT_KIND = 5,
    B2S6_ERROR_TOKEN = 6,
    B2S6_ERROR_VALUE = 7,
    B2S6_ERROR_BIDIRECTIONAL = 8,
    B2S6_ERROR_MODEL = 9,
    B2S6_ERROR_ISA = 10,
    B2S6_ERROR_SNAPSHOT = 11,
    B2S6_ERROR_ARITHMETIC = 12,
    B2S6_ERROR_FILE = 32,
    B2S6_ERROR_MAGIC = 33,
    B2S6_ERROR_VERSION = 34,
    B2S6_ERROR_TRUNCATED = 35,
    B2S6_ERROR_CHECKSUM = 36,
    B2S6_ERROR_FORMAT = 37,
    B2S6_ERROR_TENSOR = 38,
    B2S6_ERROR_WEIGHTS = 39,
    B2S6_ERROR_UNSUPPORTED = 40,
    B2S6_STATUS_PIN = 0x7fffffff
} b2s6_status;
B2S6_API const char *b2s6_status_text(b2s6_status status);
B2S6_API B2S6_CHECKED b2s6_status b2s6_self_test(void);
typedef struct b2s6_error {
    b2s6_status status;
    uint32_t reserved;
    uint64_t offset;
    char message[240];
} b2s6_error;
B2S6_API const char *b2s6_isa_name(size_t index);
B2S6_API int b2s6_isa_is_available(size_t index);
#define B2S6_PART_FILES 0x1u
#define B2S6_PART_MALLOC 0x2u
#define B2S6_PART_MESSAGES 0x4u
#define B2S6_PART_VERIFY 0x8u
#define B2S6_PART_ISAS 0x10u
#define B2S6_PART_S4 0x100u
#define B2S6_PART_MAMBA 0x200u
#define B2S6_PART_BIDIRECTIONAL 0x400u
#define B2S6_PART_NORM_LAYER 0x800u
#define B2S6_PART_NORM_RMS 0x1000u
#define B2S6_PART_DELTA_LOWRANK 0x2000u
#define B2S6_PART_REAL 0x4000u
#define B2S6_PART_COMPLEX 0x8000u
#define B2S6_PART_OTHER_UNITS 0x10000u
#define B2S6_PART_COMPENSATED 0x20000u
#define B2S6_PART_MAMBA2 0x40000u
#define B2S6_PART_MLP 0x80000u
#define B2S6_PART_F16 0x1000000u
#define B2S6_PART_Q8 0x2000000u
#define B2S6_PART_Q4 0x4000000u
B2S6_API uint32_t b2s6_parts(void);
#define B2S6_ALIGNMENT 64
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
#ifndef B2S6_ALIGNED
#  if defined(__GNUC__)
#    define B2S6_ALIGNED __attribute__((aligned(64)))
#  elif defined(_MSC_VER) || defined(__ICCARM__) || defined(__ICCRISCV__)
#    define B2S6_ALIGNED __declspec(align(64))
#  elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#    define B2S6_ALIGNED _Alignas(64)
#  endif
#endif
typedef struct b2s6_allocator {
    void *user;
    void *(*allocate)(void *user, size_t size, size_t alignment);
    void (*release)(void *user, void *memory, size_t size);
} b2s6_allocator;
typedef struct b2s6_model b2s6_model;
#define B2S6_OPEN_VERIFY 1u
#define B2S6_OPEN_TRUST 2u
typedef struct b2s6_open_options {
    uint32_t struct_size;
    uint32_t flags;
    const b2s6_allocator *allocator;
    const char *isa;
} b2s6_open_options;
#define B2S6_OPEN_OPTIONS { sizeof(b2s6_open_options), 0, NULL, NULL }
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_open_file(b2s6_model **model, const char *path,
                                                       const b2s6_open_options *options, b2s6_error *error);
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_open_memory(b2s6_model **model, const void *data, size_t size,
                                                         const b2s6_open_options *options, b2s6_error *error);
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_size(size_t *handle_size, const void *data, size_t size, b2s6_error *error);
#define B2S6_MODEL_SIZE(n_layers) \
    (((sizeof(void *) > 4 ? 448 + (size_t)(n_layers) * 512 : 320 + (size_t)(n_layers) * 352) + 63) / 64 * 64)
B2S6_API B2S6_CHECKED b2s6_status b2s6_model_place(b2s6_model **model, void *memory, size_t memory_size, const void *data,
                                                   size_t size, const b2s6_open_options *options, b2s6_error *error);
B2S6_API void b2s6_model_close(b2s6_model *model);
B2S6_API const char *b2s6_model_isa(const b2s6_model *model);
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
    B2S6_SCOPE_HEAD = 4,
    B2S6_SCOPE_PIN = 0x7fffffff
} b2s6_scope;
typedef enum b2s6_delta {
    B2S6_DELTA_BLOCK = 1, B2S6_DELTA_LOWRANK = 2, B2S6_DELTA_CONSTANT = 3,
    B2S6_DELTA_INPUT = 4,
    B2S6_DELTA_PIN = 0x7fffffff
} b2s6_delta;
typedef enum b2s6_gated_norm {
    B2S6_GATED_NORM_NONE = 0, B2S6_GATED_NORM_AFTER = 1, B2S6_GATED_NORM_BEFORE = 2, B2S6_GATED_NORM_PIN = 0x7fffffff
} b2s6_gated_norm;
typedef enum b2s6_type {
    B2S6_F32 = 1, B2S6_F16 = 2, B2S6_Q8 = 3, B2S6_Q4 = 4, B2S6_TYPE_PIN = 0x7fffffff
} b2s6_type;
typedef struct b2s6_model_info {
    uint32_t struct_size;
    uint32_t arithmetic;
    uint64_t fingerprint;
    uint64_t parameter_count;
    uint64_t file_size;
    b2s6_input_kind input_kind;
    uint32_t input_size;
    uint32_t output_size;
    uint32_t head_size;
    uint32_t head_tied;
    uint32_t d_model;
    uint32_t n_layers;
    uint32_t bidirectional;
    b2s6_norm final_norm;
    b2s6_pool pool;
    b2s6_type weight_type;
    uint32_t metadata_count;
    uint32_t entry_count;
    uint32_t reserved;
} b2s6_model_info;
B2S6_API b2s6_status b2s6_model_describe(const b2s6_model *model, b2s6_model_info *info);
typedef struct b2s6_layer_info {
    uint32_t struct_size;
    b2s6_block block;
    b2s6_norm norm;
    uint32_t norm_post;
    uint32_t bidirectional;
    uint32_t d_inner;
    uint32_t d_conv;
    uint32_t h;
    uint32_t d_state;
    uint32_t complex_state;
    uint32_t compensated;
    b2s6_scope a_scope;
    uint32_t b_weight;
    uint32_t b_bias;
    uint32_t c_selective;
    uint32_t c_complex;
    b2s6_delta delta;
    uint32_t dt_rank;
    uint32_t euler;
    uint32_t conjugate;
    uint32_t skip;
    uint32_t reserved;
    uint32_t n_groups;
    uint32_t d_mlp;
    b2s6_gated_norm gated_norm;
    uint32_t norm_groups;
} b2s6_layer_info;
B2S6_API b2s6_status b2s6_layer_describe(const b2s6_model *model, size_t index, b2s6_layer_info *info);
B2S6_API const char *b2s6_model_metadata(const b2s6_model *model, const char *key);
B2S6_API const char *b2s6_model_metadata_at(const b2s6_model *model, size_t index, const char **value);
B2S6_API const void *b2s6_model_entry(const b2s6_model *model, const char *name, size_t *size);
B2S6_API const char *b2s6_model_entry_at(const b2s6_model *model, size_t index, const void **data, size_t *size);
typedef struct b2s6_state b2s6_state;
B2S6_API size_t b2s6_state_size(const b2s6_model *model);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_create(b2s6_state **state, const b2s6_model *model,
                                                    const b2s6_allocator *allocator);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_place(b2s6_state **state, const b2s6_model *model, void *memory,
                                                   size_t memory_size);
B2S6_API b2s6_status b2s6_state_reset(b2s6_state *state);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_copy(b2s6_state *to, const b2s6_state *from);
B2S6_API void b2s6_state_destroy(b2s6_state *state);
B2S6_API const b2s6_model *b2s6_state_model(const b2s6_state *state);
B2S6_API uint64_t b2s6_state_steps(const b2s6_state *state);
B2S6_API void b2s6_state_set_user(b2s6_state *state, void *user);
B2S6_API void *b2s6_state_user(const b2s6_state *state);
B2S6_API size_t b2s6_snapshot_size(const b2s6_model *model);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_save(const b2s6_state *state, void *snapshot, size_t size);
B2S6_API B2S6_CHECKED b2s6_status b2s6_state_restore(b2s6_state *state, const void *snapshot, size_t size);
B2S6_API B2S6_CHECKED b2s6_status b2s6_step_token(b2s6_state *state, int32_t token, float *out, size_t out_size);
B2S6_API B2S6_CHECKED b2s6_status b2s6_step_features(b2s6_state *state, const float *features, size_t n_features, float *out,
                                                     size_t out_size);
#define B2S6_RUN_LAST 1u
#define B2S6_RUN_HIDDEN 2u
typedef struct b2s6_parallel {
    void *user;
    size_t n_tasks;
    size_t least_work;
    void (*run)(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context);
} b2s6_parallel;
typedef struct b2s6_observer {
    void *user;
    void (*see)(void *user, uint32_t section, uint32_t role, const float *rows, size_t n_rows, size_t width, size_t stride);
} b2s6_observer;
typedef struct b2s6_run_options {
    uint32_t struct_size;
    uint32_t flags;
    void *workspace;
    size_t workspace_size;
    const b2s6_parallel *parallel;
    const b2s6_observer *observer;
} b2s6_run_options;
#define B2S6_RUN_OPTIONS { sizeof(b2s6_run_options), 0, NULL, 0, NULL, NULL }
B2S6_API size_t b2s6_workspace_size(const b2s6_model *model, size_t n_steps);
B2S6_API B2S6_CHECKED b2s6_status b2s6_run_tokens(b2s6_state *state, const int32_t *tokens, size_t n_steps, float *out,
                                                  size_t out_size, const b2s6_run_options *options);
B2S6_API B2S6_CHECKED b2s6_status b2s6_run_features(b2s6_state *state, const float *features, size_t n_features,
                                                    size_t n_steps, float *out, size_t out_size,
                                                    const b2s6_run_options *options);
B2S6_API B2S6_CHECKED b2s6_status b2s6_batch_tokens(b2s6_state *const *states, size_t n_states, const int32_t *tokens,
                                                    float *out, size_t out_size, const b2s6_run_options *options);
B2S6_API B2S6_CHECKED b2s6_status b2s6_batch_features(b2s6_state *const *states, size_t n_states, const float *features,
                                                      size_t n_features, float *out, size_t out_size,
                                                      const b2s6_run_options *options);
#define B2S6_LOGITS_MAX 8388608
B2S6_API float b2s6_log_probability(const float *logits, size_t n, int32_t token);
B2S6_API B2S6_CHECKED b2s6_status b2s6_log_softmax(const float *logits, size_t n, float *out);
B2S6_API int32_t b2s6_argmax(const float *logits, size_t n);
B2S6_API size_t b2s6_top_k(const float *logits, size_t n, size_t k, int32_t *tokens);
typedef struct b2s6_sampling {
    uint32_t struct_size;
    float repetition_penalty;
    float temperature;
    uint32_t top_k;
    float top_p;
    float min_p;
    const int32_t *recent;
    size_t n_recent;
} b2s6_sampling;
#define B2S6_SAMPLING { sizeof(b2s6_sampling), 1.0f, 1.0f, 0, 1.0f, 0.0f, NULL, 0 }
B2S6_API B2S6_CHECKED b2s6_status b2s6_sample(int32_t *token, const float *logits, size_t n, const b2s6_sampling *how,
                                              uint64_t *generator, uint32_t *scratch);
#ifdef __cplusplus
}
#endif
#endif
