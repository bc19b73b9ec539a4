/* test_convert.c - the converter refuses what is wrong with a B2S6 checkpoint, by name, and takes what is right */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/convert.h"
#include "checkpoints.h"
#include "generate.h"
#include "model_file.h"
#include "suites.h"

typedef struct edit {
    const char *from, *to;
    const char *error;  /* part of it */
} edit;

/* Each edit alone is refused. */
static void check_edits(b2s6_block block, const edit *edits, size_t n)
{
    trained_model model;
    checkpoint_file whole;
    size_t size;
    small_model(&model, block);
    whole = checkpoint_of(&model);
    free(check_converts(&whole, &size));
    for (size_t i = 0; i < n; i++) {
        checkpoint_file file = checkpoint_copy(&whole);
        checkpoint_edit(&file, edits[i].from, edits[i].to);
        check_refused(&file, edits[i].error);
        checkpoint_release(&file);
    }
    checkpoint_release(&whole);
    trained_free(&model);
}

#define CHECK_EDITS(block, edits) check_edits(block, edits, sizeof(edits) / sizeof((edits)[0]))

/* The key of the format, and the sizes. */
static const edit size_edits[] = {
    { "{'b2s6': 1, ", "{", "b2s6 is missing" },
    { "'b2s6': 1", "'b2s6': 2", "b2s6 is not an integer from 1 to 1" },
    { "\"b2s6\": \"", "\"other\": \"", "no configuration" },
    { "{'b2s6'", "['b2s6'", "not JSON" },
    { "'d_model': 4", "'d_model': 0", "d_model is not an integer from 1 to 65536" },
    { "'d_model': 4", "'d_model': -4", "d_model is not an integer" },
    { "'d_model': 4", "'d_model': 4.0", "d_model is not an integer" },
    { "'d_model': 4", "'d_model': '4'", "d_model is not an integer" },
    { "'d_model': 4", "'d_model': 65537", "d_model is not an integer" },
    { "'d_model': 4", "'d_model': 18446744073709551620", "d_model is not an integer" },
    { "'d_model': 4", "'d_model': 4, 'd_model': 4", "d_model is given twice" },
    { "'d_model': 4, ", "", "d_model is missing" },
    { "'d_model': 4", "'d_model': 6", "the shape is" },
    { "'n_layers': 2", "'n_layers': 0", "n_layers is not an integer" },
    { "'n_layers': 2", "'n_layers': 4097", "n_layers is not an integer" },
    { "'n_layers': 2", "'n_layers': 3", "tensor layers.2.norm.weight is missing" },
    { "'n_layers': 2", "'n_layers': 1", "the configuration has no use for it" },
    { "'n_layers': 2", "'n_layers': 2, 'colour': 1", "colour is not a key that is known" },
};

static const edit input_and_norm_edits[] = {
    { "'input': {", "'input': 1, 'x': {", "input is not an object" },
    { "'kind': 'tokens'", "'kind': 'words'", "input.kind is not one of \"tokens\", \"features\"" },
    { "'kind': 'tokens'", "'kind': 1", "input.kind is not one of" },
    { "'kind': 'tokens'", "'kind': 'features'", "tensor encoder.weight: the shape is (5, 4), the configuration needs (4, 5)" },
    { "'size': 5", "'size': 16777217", "input.size is not an integer" },
    { "'kind': 'batch'", "'kind': 'group'", "norm.kind is not one of" },
    { "'kind': 'batch'", "'kind': 'layer'", "running_mean: the configuration has no use for it" },
    { "'place': 'pre'", "'place': 'middle'", "norm.place is not one of" },
    { ", 'place': 'pre'", "", "norm.place is missing" },
    { "'eps': 1", "'eps': -1", "norm.eps is not a finite number >= 0" },
    { "'eps': 1", "'eps': 1e999, 'x': 1", "norm.eps is not a finite number >= 0" },
    { "'eps': 1", "'eps': 1e99, 'x': 1", "norm.x is not a key" },
    { "'eps': 1", "'epsilon': 1", "norm.epsilon is not a key" },
};

static const edit block_edits[] = {
    { "'block': 's4'", "'block': 's5'", "block is not one of" },
    { "'block': 's4'", "'block': 's4', 'd_conv': 4", "d_conv is for block \"mamba\" alone" },
    { "'block': 's4'", "'block': 's4', 'd_inner': 4", "d_inner is for block \"mamba\" alone" },
    { "'block': 's4'", "'block': 's4', 'proj_bias': false", "proj_bias is for block \"mamba\" alone" },
    { "'block': 's4'", "'block': 'mamba'", "d_inner is missing" },
    { "'bidirectional': false", "'bidirectional': 0", "bidirectional is neither true nor false" },
    { "'bidirectional': false", "'bidirectional': true", "unit_rev.A_log is missing" },
};

static const edit unit_edits[] = {
    { "'h': 2", "'h': 3", "unit.h = 3 does not divide" },
    { "'h': 2", "'h': 8", "unit.h is 8, not from 1 to 4" },
    { "'h': 2", "'h': 0", "unit.h is not an integer" },
    { "'d_state': 3", "'d_state': 4097", "unit.d_state is not an integer" },
    { "'a_scope': 'layer'", "'a_scope': 'all'", "unit.a_scope is not one of" },
    { "'a_scope': 'layer'", "'a_scope': 'channel'", "A_log: the shape is (1, 3), the configuration needs (4, 3)" },
    { "'b_weight': true, 'b_bias': true", "'b_weight': false, 'b_bias': false", "both false" },
    { "'c': 'selective'", "'c': null", "unit.c is not one of" },
    { "'complex': true", "'complex': false", "the shape is" },
    { "'delta': 'block'", "'delta': 'lowrank'", "unit.dt_rank is 0, not from 1" },
    { "'dt_rank': 0", "'dt_rank': 2", "unit.delta is not \"lowrank\"" },
    { "'discretization': 'zoh'", "'discretization': 'bilinear'", "unit.discretization is not one of" },
    { "'states': 'compensated'", "'states': 'exact'", "unit.states is not one of \"compensated\", \"plain\"" },
    { "'skip': true", "'skip': 'true'", "unit.skip is neither true nor false" },
    { "'skip': true", "'skip': false", "unit.D: the configuration has no use for it" },
};

/* What a list of layers may say; the model has two s4 layers of width 4. */
static const edit layers_edits[] = {
    { "'pool': ", "'layers': {}, 'pool': ", "layers is not a list" },
    { "'pool': ", "'layers': null, 'pool': ", "layers is not a list" },
    { "'pool': ", "'layers': [], 'pool': ", "layers has 0 elements, but n_layers is 2" },
    { "'pool': ", "'layers': [{}], 'pool': ", "layers has 1 elements, but n_layers is 2" },
    { "'pool': ", "'layers': [{}, {}, {}], 'pool': ", "layers has 3 elements, but n_layers is 2" },
    { "'pool': ", "'layers': [{}, 1], 'pool': ", "layers[1] is not an object" },
    { "'pool': ", "'layers': [{}, {'d_model': 4}], 'pool': ", "layers[1].d_model is not a key that is known" },
    { "'pool': ", "'layers': [{}, {'layers': []}], 'pool': ", "layers[1].layers is not a key that is known" },
    { "'pool': ", "'layers': [{'block': 's5'}, {}], 'pool': ", "layers[0].block is not one of" },
    { "'pool': ", "'layers': [{'norm': 1}, {}], 'pool': ", "layers[0].norm is not an object" },
    { "'pool': ", "'layers': [{}, {'norm': {'kinds': 1}}], 'pool': ", "layers[1].norm.kinds is not a key" },
    { "'pool': ", "'layers': [{}, {'unit': {'h': 2, 'h': 2}}], 'pool': ", "layers[1].unit.h is given twice" },
    { "'pool': ", "'layers': [{}, {'unit': {'h': 3}}], 'pool': ", "layers[1]: unit.h = 3 does not divide" },
    { "'pool': ", "'layers': [{'unit': {'delta': 'lowrank'}}, {}], 'pool': ", "layers[0]: unit.dt_rank is 0" },
    { "'pool': ", "'layers': [{}, {'unit': {'states': 1}}], 'pool': ", "layers[1].unit.states is not one of \"compensated\", \"plain\"" },
    { "'pool': ", "'layers': [{'d_inner': 4}, {}], 'pool': ", "layers[0].d_inner is for block \"mamba\" alone" },
    { "'pool': ", "'layers': [{'proj_bias': false}, {}], 'pool': ", "layers[0].proj_bias is for block \"mamba\" alone" },
    { "'pool': ", "'layers': [{}, {}], 'd_conv': 3, 'pool': ", "d_conv is for block \"mamba\" alone" },
    { "'pool': ", "'layers': [{}, {'block': 'mamba'}], 'pool': ", "layers[1].d_inner is missing: block \"mamba\" needs it" },
    { "'pool': ", "'layers': [{}, {'block': 'mamba', 'd_inner': 6}], 'pool': ", "layers[1].d_conv is missing" },
    { "'pool': ", "'layers': [{}, {'block': 'mamba', 'd_inner': 6, 'd_conv': 3, 'bidirectional': true}], 'pool': ",
      "layers[1]: bidirectional needs block \"s4\"" },
    /* right in themselves, but the tensors are another model's */
    { "'pool': ", "'layers': [{}, {'block': 'mamba', 'd_inner': 6, 'd_conv': 3}], 'pool': ", "tensor layers.1.unit.B_weight: the shape is" },
    { "'pool': ", "'layers': [{'unit': {'skip': false}}, {}], 'pool': ", "layers.0.unit.D: the configuration has no use for it" },
    { "'pool': ", "'layers': [{}, {'unit': {'a_scope': 'block'}}], 'pool': ", "layers.1.unit.A_log: the shape is (1, 3), the configuration needs (2, 3)" },
};

static const edit head_edits[] = {
    { "'pool': 'none'", "'pool': 'max'", "pool is not one of" },
    { "'tied': false", "'tied': true", "head.tied" },
};

static const edit mamba_edits[] = {
    { "'d_conv': 3, ", "", "d_conv is missing: block \"mamba\" needs it" },
    { "'d_conv': 3", "'d_conv': 65", "d_conv is not an integer from 1 to 64" },
    { "'bidirectional': false", "'bidirectional': true", "bidirectional needs block \"s4\"" },
    { "'d_conv': 3", "'d_conv': 3, 'proj_bias': true", "layers.0.in_proj.bias is missing" },
    { "'dt_rank': 2", "'dt_rank': 0", "unit.dt_rank is 0" },
};

static void test_configuration(void)
{
    CHECK_EDITS(B2S6_BLOCK_S4, size_edits);
    CHECK_EDITS(B2S6_BLOCK_S4, input_and_norm_edits);
    CHECK_EDITS(B2S6_BLOCK_S4, block_edits);
    CHECK_EDITS(B2S6_BLOCK_S4, unit_edits);
    CHECK_EDITS(B2S6_BLOCK_S4, layers_edits);
    CHECK_EDITS(B2S6_BLOCK_S4, head_edits);
    CHECK_EDITS(B2S6_BLOCK_MAMBA, mamba_edits);
}

/* Real parameters cannot have a complex C: a contradiction of two keys that are each right. */
static void test_contradictions(void)
{
    trained_model model;
    checkpoint_file file;
    small_model(&model, B2S6_BLOCK_S4);
    file = checkpoint_of(&model);
    checkpoint_edit(&file, "'complex': true", "'complex': false");
    checkpoint_edit(&file, "'c_complex': false", "'c_complex': true");
    check_refused(&file, "unit.c_complex needs unit.complex");
    checkpoint_release(&file);
    trained_free(&model);
}

static void check_model_refused(const trained_model *model, const char *error)
{
    checkpoint_file file = checkpoint_of(model);
    check_refused(&file, error);
    checkpoint_release(&file);
}

/* Every tensor of a model: with a value that is none, of another shape, under another name, and missing. */
static void check_tensors(b2s6_block block)
{
    static const float bad[] = { NAN, INFINITY, -INFINITY };
    trained_model whole;
    small_model(&whole, block);
    for (size_t i = 0; i < whole.n_tensors; i++) {
        trained_model model;
        trained_tensor *t;
        char error[100];
        trained_copy(&model, &whole);
        t = &model.tensors[i];
        test_context("%s", t->name);
        for (size_t k = 0; k < 3; k++) {
            float good = t->values[t->count - 1];
            t->values[t->count - 1] = bad[k];
            snprintf(error, sizeof error, "tensor %s: the value at [", t->name);
            check_model_refused(&model, error);
            t->values[t->count - 1] = good;
        }
        t->shape[0] = t->rank > 1 ? t->count : 1;  /* the values in a row, or a row of one's own */
        t->shape[1] = t->count;
        t->rank = t->rank > 1 ? 1 : 2;
        snprintf(error, sizeof error, "tensor %s: the shape is (", t->name);
        check_model_refused(&model, error);
        snprintf(t->name, sizeof t->name, "%s", "surplus");
        snprintf(error, sizeof error, "tensor %s is missing", whole.tensors[i].name);
        check_model_refused(&model, error);
        trained_remove(&model, "surplus");
        check_model_refused(&model, error);
        trained_free(&model);
    }
    trained_free(&whole);
}

static void test_tensors(void)
{
    check_tensors(B2S6_BLOCK_S4);
    check_tensors(B2S6_BLOCK_MAMBA);
}

static void test_surplus_tensor(void)
{
    static const size_t shape[] = { 2, 2 };
    trained_model model;
    small_model(&model, B2S6_BLOCK_S4);
    trained_add(&model, "layers.0.unit.extra", 2, shape);
    check_model_refused(&model, "tensor layers.0.unit.extra: the configuration has no use for it");
    trained_free(&model);
}

/* Values that are finite, but of which no sound model can be made. */
static void test_values(void)
{
    static const struct { const char *tensor; float value; const char *error; } cases[] = {
        { "layers.1.unit.A_log", 100, "exp(A_log) is infinite" },
        { "layers.1.unit.A_log", 1e30f, "exp(A_log) is infinite" },
        { "layers.1.unit.A_log", -110, "exp(A_log) is zero" },
        { "layers.1.unit.A_log", -1e30f, "exp(A_log) is zero" },
        { "layers.0.norm.running_var", -1, "variance plus eps is not positive" },
        { "layers.1.norm.weight", 3e38f, "too large for a float" },
    };
    trained_model whole;
    small_model(&whole, B2S6_BLOCK_S4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trained_model model;
        trained_copy(&model, &whole);
        test_context("%s is %g", cases[i].tensor, (double)cases[i].value);
        trained_find(&model, "", cases[i].tensor)->values[0] = cases[i].value;
        if (strstr(cases[i].tensor, "norm.weight"))
            trained_find(&model, "layers.1.", "norm.running_var")->values[0] = 1e-6f;
        check_model_refused(&model, cases[i].error);
        trained_free(&model);
    }
    trained_free(&whole);
}

/* What a half cannot hold: the message names the tensor, the value and the place as the checkpoint has them. */
static void test_too_large_for_halves(void)
{
    static const struct { const char *tensor; size_t index; float value; const char *error; } cases[] = {
        { "layers.1.unit.B_weight", 0, 3e6f, "tensor layers.1.unit.B_weight: the value 3e+06 " },
        { "layers.1.unit.B_weight", 1, -3e6f, "-3e+06i at [0, 0, 0], divided by A, is too large for type f16" },
        { "layers.0.unit.C", 1, 70000, "tensor layers.0.unit.C: the value 70000 at [0, 0, 1] is too large for type f16" },
        { "layers.1.out.weight", 4 * 4 + 2, -66000, "tensor layers.1.out.weight: the value -66000 at [4, 2] is too large" },
        { "encoder.weight", 5, 65520, "tensor encoder.weight: the value 65520 at [1, 1] is too large" },
    };
    trained_model whole;
    small_model(&whole, B2S6_BLOCK_S4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trained_model model;
        checkpoint_file file;
        trained_copy(&model, &whole);
        test_context("%s", cases[i].tensor);
        trained_find(&model, "", cases[i].tensor)->values[cases[i].index] = cases[i].value;
        file = checkpoint_of(&model);
        check_refused_as("f16", &file, cases[i].error);
        checkpoint_release(&file);
        trained_free(&model);
    }
    trained_free(&whole);
}

static void test_constant_step(void)
{
    static const struct { float b; const char *error; } cases[] = { { 100, "is infinite" }, { -120, "is zero" } };
    for (size_t i = 0; i < 2; i++) {
        random_source random = { 3 };
        trained_model model;
        memset(&model, 0, sizeof model);
        plain_config(&model.config, 4, 2, 3);
        model.config.unit.delta = B2S6_DELTA_CONSTANT;
        generate_tensors(&model, &random);
        trained_find(&model, "layers.0.", "unit.b")->values[1] = cases[i].b;
        check_model_refused(&model, cases[i].error);
        trained_free(&model);
    }
}

/* ------------------------------------------------------------------------------------- what is in the file, byte for byte */

/* The file of a checkpoint after one edit (none if from is NULL), with these options. */
static unsigned char *converted(const checkpoint_file *whole, const char *from, const char *to, const convert_options *options,
                                size_t *size)
{
    checkpoint_file file = checkpoint_copy(whole);
    unsigned char *bytes = NULL;
    char error[300] = "";
    if (from)
        checkpoint_edit(&file, from, to);
    if (convert_safetensors_memory(file.bytes, file.size, "x", options, &bytes, size, error, sizeof error) != 0)
        FAIL(error);
    checkpoint_release(&file);
    return bytes;
}

static void check_same(const unsigned char *a, size_t a_size, unsigned char *b, size_t b_size)
{
    CHECK_EQUAL_SIZE(a_size, b_size);
    CHECK_BYTES(a, b, a_size);
    free(b);
}

/* Layers that say again what holds for all make the same file; compensated is the default; options override. */
static void test_layers_and_states(void)
{
    static const char *const same[] = {
        "'layers': [{}, {}], 'pool': ", "'layers': [{'block': 's4', 'bidirectional': false}, {'unit': {'d_state': 3}}], 'pool': ",
        "'layers': [{'norm': {'place': 'pre'}}, {'unit': {'states': 'compensated', 'dt_rank': 0}}], 'pool': ",
    };
    const convert_options as_it_is = { "f32", NULL, NULL, 0 }, plain = { "f32", "plain", NULL, 0 };
    const convert_options compensated = { "f32", "compensated", NULL, 0 };
    const char *const no_states = ", 'states': 'compensated'", *const all_plain = "'states': 'plain'";
    trained_model model;
    checkpoint_file whole;
    unsigned char *file, *other;
    size_t size, other_size;
    file_parts parts;
    small_model(&model, B2S6_BLOCK_S4);
    whole = checkpoint_of(&model);
    file = converted(&whole, NULL, NULL, &as_it_is, &size);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        other = converted(&whole, "'pool': ", same[i], &as_it_is, &other_size);
        check_same(file, size, other, other_size);
    }
    other = converted(&whole, no_states, "", &as_it_is, &other_size);
    check_same(file, size, other, other_size);
    other = converted(&whole, no_states + 2, all_plain, &compensated, &other_size);
    check_same(file, size, other, other_size);
    free(file);
    file = converted(&whole, no_states + 2, all_plain, &as_it_is, &size);
    file_take_apart(&parts, file);
    CHECK_EQUAL_INT(1, parts.config[file_find_config(&parts, KEY(1, 44))][1]);
    file_free(&parts);
    other = converted(&whole, NULL, NULL, &plain, &other_size);
    check_same(file, size, other, other_size);
    free(file);

    /* a layer of its own has all its keys in the file, the one after it is again as it was */
    file = converted(&whole, "'pool': ", "'layers': [{}, {'unit': {'states': 'plain'}}], 'pool': ", &as_it_is, &size);
    file_take_apart(&parts, file);
    CHECK_EQUAL_INT(2, parts.config[file_find_config(&parts, KEY(1, 44))][1]);
    CHECK_EQUAL_INT(1, parts.config[file_find_config(&parts, KEY(2, 44))][1]);
    CHECK_EQUAL_INT(10 + 2 * 18, parts.n_config);
    file_free(&parts);
    free(file);
    checkpoint_release(&whole);
    trained_free(&model);
}

static void refuse_entries(const checkpoint_file *file, const named_entry *entries, size_t n, const char *text)
{
    const convert_options options = { "f32", NULL, entries, n };
    unsigned char *bytes = NULL;
    size_t size = 77;
    char error[300] = "";
    test_context("%s", text);
    CHECK_EQUAL_INT(-1, convert_safetensors_memory(file->bytes, file->size, "x", &options, &bytes, &size, error, sizeof error));
    CHECK(bytes == NULL && size == 77 && strchr(error, '\n') == NULL && strstr(error, text) != NULL);
}

/* Entries come in any order and are in the file in theirs; what cannot be one is refused. */
static void test_entries(void)
{
    static const unsigned char bytes[130] = "some bytes";
    named_entry entries[300] = { { "tokens", bytes, 130 }, { "labels", bytes, 1 }, { "23 bytes, not one more.", bytes, 64 } };
    const convert_options options = { "f32", NULL, entries, 3 };
    static const char *const sorted[] = { "23 bytes, not one more.", "labels", "tokens" };
    char names[300][8];
    trained_model model;
    checkpoint_file file;
    unsigned char *b2s6;
    size_t size;
    file_parts parts;
    small_model(&model, B2S6_BLOCK_S4);
    file = checkpoint_of(&model);
    b2s6 = converted(&file, NULL, NULL, &options, &size);
    file_take_apart(&parts, b2s6);
    CHECK_EQUAL_INT(3, parts.n_entries);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_STRING(sorted[i], (const char *)parts.entries[i].name);
        CHECK_BYTES(bytes, parts.entries[i].data, (size_t)parts.entries[i].bytes);
    }
    CHECK_EQUAL_U64(130, parts.entries[2].bytes);
    {
        b2s6_model *opened;
        CHECK_OK(b2s6_model_open_memory(&opened, b2s6, size, NULL, NULL));
        b2s6_model_close(opened);
    }
    file_free(&parts);
    free(b2s6);
    entries[1].name = "tokens";
    refuse_entries(&file, entries, 3, "two entries are called tokens");
    entries[1].name = "";
    refuse_entries(&file, entries, 3, "an entry has no name");
    entries[1].name = "24 bytes are one too many";
    refuse_entries(&file, entries, 3, "is too long: at most 23 bytes");
    entries[1].name = "labels";
    entries[1].size = 0;
    refuse_entries(&file, entries, 3, "the entry labels is empty");
    for (size_t i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "%03u", (unsigned)i);
        entries[i] = (named_entry){ names[i], bytes, 1 };
    }
    refuse_entries(&file, entries, 257, "257 entries are too many: a model file has room for 256");
    checkpoint_release(&file);
    trained_free(&model);
}

/* More metadata than a file has room for. */
static void test_metadata_limits(void)
{
    trained_model model;
    checkpoint_file file;
    size_t n = 0;
    char *text = (char *)malloc(300000);
    CHECK(text != NULL);
    small_model(&model, B2S6_BLOCK_S4);
    n = (size_t)sprintf(text, "{\"__metadata__\": {\"long\": \"");
    memset(text + n, 'x', 262144);
    strcpy(text + n + 262144, "\", ");
    file = checkpoint_of(&model);
    checkpoint_edit(&file, "{\"__metadata__\": {", text);
    check_refused(&file, "the metadata are too many");
    checkpoint_release(&file);
    n = (size_t)sprintf(text, "{\"__metadata__\": {");
    for (int i = 0; i < 1024; i++)
        n += (size_t)sprintf(text + n, "\"k%d\": \"\", ", i);
    file = checkpoint_of(&model);
    checkpoint_edit(&file, "{\"__metadata__\": {", text);
    check_refused(&file, "the metadata are too many: 1025 pairs"); /* with the source */
    checkpoint_release(&file);
    trained_free(&model);
    free(text);
}

/* Cut short at every byte, and with one byte more, a file is refused. */
static void test_truncated(void)
{
    trained_model model;
    checkpoint_file whole;
    small_model(&model, B2S6_BLOCK_S4);
    whole = checkpoint_of(&model);
    for (size_t size = 0; size < whole.size; size++) {
        checkpoint_file file = { (unsigned char *)malloc(size + (size == 0)), size };
        CHECK(file.bytes != NULL);
        memcpy(file.bytes, whole.bytes, size);
        test_context("%zu of %zu bytes", size, whole.size);
        check_refused(&file, "");
        checkpoint_release(&file);
    }
    whole.bytes = (unsigned char *)realloc(whole.bytes, whole.size + 1);
    CHECK(whole.bytes != NULL);
    whole.bytes[whole.size++] = 0;
    check_refused(&whole, "1 bytes after the last tensor");
    checkpoint_release(&whole);
    trained_free(&model);
}

/* Strings are carried over, whatever they are; PyTorch's count of batches is let pass. */
static void test_metadata(void)
{
    trained_model model;
    checkpoint_file file;
    unsigned char *bytes;
    b2s6_model *opened;
    size_t size;
    small_model(&model, B2S6_BLOCK_S4);
    trained_add(&model, "layers.0.norm.num_batches_tracked", 0, NULL);
    file = checkpoint_of(&model);
    checkpoint_edit(&file, "{\"__metadata__\": {", "{\"__metadata__\": {\"empty\": \"\", \"na\\u00efve\": \"\\ud83d\\ude00 \\\"x\\\"\\n\", ");
    bytes = check_converts(&file, &size);
    CHECK_OK(b2s6_model_open_memory(&opened, bytes, size, NULL, NULL));
    CHECK_STRING("", b2s6_model_metadata(opened, "empty"));
    CHECK_STRING("\xf0\x9f\x98\x80 \"x\"\n", b2s6_model_metadata(opened, "na\xc3\xafve"));
    CHECK_STRING("x", b2s6_model_metadata(opened, "source"));
    CHECK(b2s6_model_metadata(opened, "b2s6") == NULL);
    b2s6_model_close(opened);
    free(bytes);
    checkpoint_edit(&file, "\"empty\": \"\"", "\"source\": \"elsewhere\"");
    bytes = check_converts(&file, &size);
    CHECK_OK(b2s6_model_open_memory(&opened, bytes, size, NULL, NULL));
    CHECK_STRING("elsewhere", b2s6_model_metadata(opened, "source"));
    b2s6_model_close(opened);
    free(bytes);
    checkpoint_release(&file);
    trained_free(&model);
}

static const test tests[] = {
    TEST(test_configuration), TEST(test_contradictions), TEST(test_tensors), TEST(test_surplus_tensor), TEST(test_values),
    TEST(test_too_large_for_halves), TEST(test_constant_step), TEST(test_layers_and_states), TEST(test_entries),
    TEST(test_metadata_limits), TEST(test_truncated), TEST(test_metadata),
};

const test_suite suite_convert = TEST_SUITE("convert", tests);
