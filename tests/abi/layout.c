/*
 * layout.c - where the members of the public structures are, and what the enumerations' and flags' names stand for
 *
 * Compiled with the header of an older version and with today's (-DB2S6_HEADER), it must print the same. It names what the
 * older header has; of structures that may grow it prints no size.
 */
#include B2S6_HEADER

#include <stddef.h>
#include <stdio.h>

#define AT(type, member) printf("%s.%s %zu\n", #type, #member, offsetof(type, member))
#define SIZE(type) printf("%s %zu\n", #type, sizeof(type))
#define VALUE(name) printf("%s %ld\n", #name, (long)(name))

static void structures(void)
{
    SIZE(b2s6_error), AT(b2s6_error, status), AT(b2s6_error, offset), AT(b2s6_error, message);
    SIZE(b2s6_allocator), AT(b2s6_allocator, user), AT(b2s6_allocator, allocate), AT(b2s6_allocator, release);
    SIZE(b2s6_parallel), AT(b2s6_parallel, user), AT(b2s6_parallel, n_tasks);
    AT(b2s6_parallel, least_work), AT(b2s6_parallel, run);
    SIZE(b2s6_observer), AT(b2s6_observer, user), AT(b2s6_observer, see);
    AT(b2s6_open_options, struct_size), AT(b2s6_open_options, flags), AT(b2s6_open_options, allocator);
    AT(b2s6_open_options, isa);
    AT(b2s6_run_options, struct_size), AT(b2s6_run_options, flags), AT(b2s6_run_options, workspace);
    AT(b2s6_run_options, workspace_size), AT(b2s6_run_options, parallel), AT(b2s6_run_options, observer);
}

static void model_info(void)
{
    AT(b2s6_model_info, struct_size), AT(b2s6_model_info, arithmetic), AT(b2s6_model_info, fingerprint);
    AT(b2s6_model_info, parameter_count), AT(b2s6_model_info, file_size), AT(b2s6_model_info, input_kind);
    AT(b2s6_model_info, input_size), AT(b2s6_model_info, output_size), AT(b2s6_model_info, head_size);
    AT(b2s6_model_info, head_tied), AT(b2s6_model_info, d_model), AT(b2s6_model_info, n_layers);
    AT(b2s6_model_info, bidirectional), AT(b2s6_model_info, final_norm), AT(b2s6_model_info, pool);
    AT(b2s6_model_info, weight_type), AT(b2s6_model_info, metadata_count), AT(b2s6_model_info, entry_count);
    AT(b2s6_model_info, reserved);
}

static void layer_info(void)
{
    AT(b2s6_layer_info, struct_size), AT(b2s6_layer_info, block), AT(b2s6_layer_info, norm), AT(b2s6_layer_info, norm_post);
    AT(b2s6_layer_info, bidirectional), AT(b2s6_layer_info, d_inner), AT(b2s6_layer_info, d_conv), AT(b2s6_layer_info, h);
    AT(b2s6_layer_info, d_state), AT(b2s6_layer_info, complex_state), AT(b2s6_layer_info, compensated);
    AT(b2s6_layer_info, a_scope), AT(b2s6_layer_info, b_weight), AT(b2s6_layer_info, b_bias);
    AT(b2s6_layer_info, c_selective), AT(b2s6_layer_info, c_complex), AT(b2s6_layer_info, delta);
    AT(b2s6_layer_info, dt_rank), AT(b2s6_layer_info, euler), AT(b2s6_layer_info, conjugate), AT(b2s6_layer_info, skip);
    AT(b2s6_layer_info, reserved), AT(b2s6_layer_info, n_groups), AT(b2s6_layer_info, d_mlp);
    AT(b2s6_layer_info, gated_norm), AT(b2s6_layer_info, norm_groups);
}

static void parts(void)
{
    VALUE(B2S6_PART_FILES), VALUE(B2S6_PART_MALLOC), VALUE(B2S6_PART_MESSAGES), VALUE(B2S6_PART_VERIFY), VALUE(B2S6_PART_ISAS);
    VALUE(B2S6_PART_S4), VALUE(B2S6_PART_MAMBA), VALUE(B2S6_PART_BIDIRECTIONAL), VALUE(B2S6_PART_NORM_LAYER);
    VALUE(B2S6_PART_NORM_RMS), VALUE(B2S6_PART_DELTA_LOWRANK), VALUE(B2S6_PART_REAL), VALUE(B2S6_PART_COMPLEX);
    VALUE(B2S6_PART_OTHER_UNITS), VALUE(B2S6_PART_COMPENSATED), VALUE(B2S6_PART_F16), VALUE(B2S6_PART_Q8), VALUE(B2S6_PART_Q4);
    VALUE(B2S6_PART_MAMBA2), VALUE(B2S6_PART_MLP);
}

static void statuses(void)
{
    VALUE(B2S6_OK), VALUE(B2S6_ERROR_ARGUMENT), VALUE(B2S6_ERROR_MEMORY), VALUE(B2S6_ERROR_SIZE);
    VALUE(B2S6_ERROR_ALIGNMENT), VALUE(B2S6_ERROR_INPUT_KIND), VALUE(B2S6_ERROR_TOKEN), VALUE(B2S6_ERROR_VALUE);
    VALUE(B2S6_ERROR_BIDIRECTIONAL), VALUE(B2S6_ERROR_MODEL), VALUE(B2S6_ERROR_ISA), VALUE(B2S6_ERROR_SNAPSHOT);
    VALUE(B2S6_ERROR_ARITHMETIC), VALUE(B2S6_ERROR_FILE), VALUE(B2S6_ERROR_MAGIC), VALUE(B2S6_ERROR_VERSION);
    VALUE(B2S6_ERROR_TRUNCATED), VALUE(B2S6_ERROR_CHECKSUM), VALUE(B2S6_ERROR_FORMAT), VALUE(B2S6_ERROR_TENSOR);
    VALUE(B2S6_ERROR_WEIGHTS), VALUE(B2S6_ERROR_UNSUPPORTED);
    SIZE(b2s6_status);
}

static void other_values(void)
{
    VALUE(B2S6_TOKENS), VALUE(B2S6_FEATURES), VALUE(B2S6_BLOCK_S4), VALUE(B2S6_BLOCK_MAMBA), VALUE(B2S6_NORM_NONE);
    VALUE(B2S6_NORM_LAYER), VALUE(B2S6_NORM_RMS), VALUE(B2S6_NORM_BATCH), VALUE(B2S6_POOL_NONE), VALUE(B2S6_POOL_MEAN);
    VALUE(B2S6_POOL_LAST), VALUE(B2S6_SCOPE_LAYER), VALUE(B2S6_SCOPE_BLOCK), VALUE(B2S6_SCOPE_CHANNEL);
    VALUE(B2S6_DELTA_BLOCK), VALUE(B2S6_DELTA_LOWRANK), VALUE(B2S6_DELTA_CONSTANT), VALUE(B2S6_OPEN_VERIFY);
    VALUE(B2S6_OPEN_TRUST), VALUE(B2S6_RUN_LAST), VALUE(B2S6_RUN_HIDDEN), VALUE(B2S6_ALIGNMENT);
    VALUE(B2S6_BLOCK_MAMBA2), VALUE(B2S6_BLOCK_MLP), VALUE(B2S6_SCOPE_HEAD), VALUE(B2S6_DELTA_INPUT);
    VALUE(B2S6_GATED_NORM_NONE), VALUE(B2S6_GATED_NORM_AFTER), VALUE(B2S6_GATED_NORM_BEFORE), SIZE(b2s6_gated_norm);
    SIZE(b2s6_input_kind), SIZE(b2s6_block), SIZE(b2s6_norm), SIZE(b2s6_pool), SIZE(b2s6_scope), SIZE(b2s6_delta);
}

int main(void)
{
    structures();
    model_info();
    layer_info();
    parts();
    statuses();
    other_values();
    return 0;
}
