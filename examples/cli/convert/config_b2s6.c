/*
 * config_b2s6.c - see config_b2s6.h
 *
 * The outermost object says what every layer is. A list "layers" may say otherwise for each: what stands in its objects
 * replaces, key by key, what stands outside.
 */
#include "config_b2s6.h"

#include <stdio.h>
#include <string.h>

#include "../support/json_fields.h"
#include "src/format_numbers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const json_choice input_kinds[] = { { "tokens", B2S6_TOKENS }, { "features", B2S6_FEATURES }, { NULL, 0 } };
static const json_choice norms[] = {
    { "none", B2S6_NORM_NONE }, { "layer", B2S6_NORM_LAYER }, { "rms", B2S6_NORM_RMS }, { "batch", B2S6_NORM_BATCH },
    { NULL, 0 }
};
static const json_choice places[] = { { "pre", 0 }, { "post", 1 }, { NULL, 0 } };
static const json_choice blocks[] = { { "s4", B2S6_BLOCK_S4 }, { "mamba", B2S6_BLOCK_MAMBA }, { NULL, 0 } };
static const json_choice pools[] = {
    { "none", B2S6_POOL_NONE }, { "mean", B2S6_POOL_MEAN }, { "last", B2S6_POOL_LAST }, { NULL, 0 }
};
static const json_choice scopes[] = {
    { "layer", B2S6_SCOPE_LAYER }, { "block", B2S6_SCOPE_BLOCK }, { "channel", B2S6_SCOPE_CHANNEL }, { NULL, 0 }
};
static const json_choice deltas[] = {
    { "block", B2S6_DELTA_BLOCK }, { "lowrank", B2S6_DELTA_LOWRANK }, { "constant", B2S6_DELTA_CONSTANT }, { NULL, 0 }
};
static const json_choice c_kinds[] = { { "constant", 0 }, { "selective", 1 }, { NULL, 0 } };
static const json_choice discretizations[] = { { "zoh", 0 }, { "euler", 1 }, { NULL, 0 } };
static const json_choice states[] = { { "compensated", 0 }, { "plain", 1 }, { NULL, 0 } };

/* One layer as it is read: its own keys, and which of them were given. */
typedef struct layer {
    checkpoint_layer_config c;
    uint32_t proj_bias;
    json norm, unit;
    uint32_t given, norm_given;  /* bits of outer_fields, of norm_fields */
} layer;

/* The outermost object, with those inside it left for their own tables. */
typedef struct outer {
    layer l;  /* comes first: what a layer may say has the same offsets there and here */
    checkpoint_config c;
    uint32_t version;
    json input, final_norm, head, layers;
} outer;

#define OUTER(name, type, member, required, low, high, choices) \
    { name, type, offsetof(outer, member), required, low, high, choices }
enum { BLOCK, D_INNER, D_CONV, PROJ_BIAS, BIDIRECTIONAL, NORM, UNIT, N_LAYER_FIELDS, LAYERS = N_LAYER_FIELDS };
enum { MAMBA_NEEDS = 1u << D_INNER | 1u << D_CONV, MAMBA_ALONE = MAMBA_NEEDS | 1u << PROJ_BIAS };
static const json_field outer_fields[] = {
    OUTER("block", FIELD_CHOICE, l.c.block, 0, 0, 0, blocks),
    OUTER("d_inner", FIELD_UNSIGNED, l.c.d_inner, 0, 1, FORMAT_MAX_WIDTH, NULL),
    OUTER("d_conv", FIELD_UNSIGNED, l.c.d_conv, 0, 1, FORMAT_MAX_D_CONV, NULL),
    OUTER("proj_bias", FIELD_BOOLEAN, l.proj_bias, 0, 0, 0, NULL),
    OUTER("bidirectional", FIELD_BOOLEAN, l.c.bidirectional, 0, 0, 0, NULL),
    OUTER("norm", FIELD_OBJECT, l.norm, 0, 0, 0, NULL),
    OUTER("unit", FIELD_OBJECT, l.unit, 0, 0, 0, NULL),
    /* up to here a layer may have them, too */
    OUTER("layers", FIELD_ANY, layers, 0, 0, 0, NULL),
    OUTER("b2s6", FIELD_UNSIGNED, version, 1, 1, 1, NULL),
    OUTER("d_model", FIELD_UNSIGNED, c.d_model, 1, 1, FORMAT_MAX_WIDTH, NULL),
    OUTER("n_layers", FIELD_UNSIGNED, c.n_layers, 1, 1, FORMAT_MAX_LAYERS, NULL),
    OUTER("input", FIELD_OBJECT, input, 1, 0, 0, NULL),
    OUTER("final_norm", FIELD_OBJECT, final_norm, 1, 0, 0, NULL),
    OUTER("pool", FIELD_CHOICE, c.pool, 1, 0, 0, pools),
    OUTER("head", FIELD_OBJECT, head, 1, 0, 0, NULL),
};

#define INNER(name, type, member, required, low, high, choices) \
    { name, type, offsetof(checkpoint_config, member), required, low, high, choices }
static const json_field input_fields[] = {
    INNER("kind", FIELD_CHOICE, input_kind, 1, 0, 0, input_kinds),
    INNER("size", FIELD_UNSIGNED, input_size, 1, 1, FORMAT_MAX_SIZE, NULL),
};
static const json_field final_norm_fields[] = {
    INNER("kind", FIELD_CHOICE, final_norm, 1, 0, 0, norms),
    INNER("eps", FIELD_REAL, final_norm_eps, 0, 0, 0, NULL),
};
static const json_field head_fields[] = {
    INNER("size", FIELD_UNSIGNED, head_size, 1, 0, FORMAT_MAX_SIZE, NULL),
    INNER("bias", FIELD_BOOLEAN, head_bias, 1, 0, 0, NULL),
    INNER("tied", FIELD_BOOLEAN, head_tied, 1, 0, 0, NULL),
};

#define IN_LAYER(name, type, member, low, high, choices) \
    { name, type, offsetof(checkpoint_layer_config, member), 0, low, high, choices }
enum { NORM_KIND, NORM_EPS, NORM_PLACE };  /* a norm of kind "none" need not have the latter two */
static const json_field norm_fields[] = {
    IN_LAYER("kind", FIELD_CHOICE, norm, 0, 0, norms),
    IN_LAYER("eps", FIELD_REAL, norm_eps, 0, 0, NULL),
    IN_LAYER("place", FIELD_CHOICE, norm_post, 0, 0, places),
};
enum { UNIT_OPTIONAL = 2, DELTA = 11, DT_RANK = 12 };  /* dt_rank and the last need not be there */
static const json_field unit_fields[] = {
    IN_LAYER("h", FIELD_UNSIGNED, h, 1, FORMAT_MAX_WIDTH, NULL),
    IN_LAYER("d_state", FIELD_UNSIGNED, d_state, 1, FORMAT_MAX_D_STATE, NULL),
    IN_LAYER("complex", FIELD_BOOLEAN, complex_state, 0, 0, NULL),
    IN_LAYER("a_scope", FIELD_CHOICE, a_scope, 0, 0, scopes),
    IN_LAYER("b_weight", FIELD_BOOLEAN, b_weight, 0, 0, NULL),
    IN_LAYER("b_bias", FIELD_BOOLEAN, b_bias, 0, 0, NULL),
    IN_LAYER("c", FIELD_CHOICE, c_selective, 0, 0, c_kinds),
    IN_LAYER("c_complex", FIELD_BOOLEAN, c_complex, 0, 0, NULL),
    IN_LAYER("discretization", FIELD_CHOICE, euler, 0, 0, discretizations),
    IN_LAYER("conjugate", FIELD_BOOLEAN, conjugate, 0, 0, NULL),
    IN_LAYER("skip", FIELD_BOOLEAN, skip, 0, 0, NULL),
    IN_LAYER("delta", FIELD_CHOICE, delta, 0, 0, deltas),
    IN_LAYER("dt_rank", FIELD_UNSIGNED, dt_rank, 0, FORMAT_MAX_WIDTH, NULL),
    IN_LAYER("states", FIELD_CHOICE, plain_states, 0, 0, states),
};

/* What a layer is called: "layers[3]"; empty for what holds for all of them. */
typedef struct layer_name {
    char text[24];
} layer_name;

/* "layers[3].unit", or "unit". */
static void name_in(char *out, size_t size, const layer_name *name, const char *key)
{
    snprintf(out, size, "%s%s%s", name->text, name->text[0] ? "." : "", key);
}

/* The first n fields must be among those given. */
static int require(const json_field *fields, size_t n, uint32_t given, const char *where, message *m)
{
    for (size_t i = 0; i < n; i++)
        if (!(given & 1u << i))
            return complain(m, "%s%s%s is missing", where, *where ? "." : "", fields[i].name);
    return 0;
}

/* The norm and the unit of a layer, if its object has them. Whatever they do not say stays as it was. */
static int read_inner(layer *l, uint32_t present, const layer_name *name, uint32_t *unit_given, message *m)
{
    char where[40];
    uint32_t given;
    *unit_given = 0;
    name_in(where, sizeof where, name, "norm");
    if (present & 1u << NORM) {
        if (json_read_fields(l->norm, where, norm_fields, COUNT(norm_fields), 1, &l->c, &given, m) != 0)
            return -1;
        l->norm_given |= given;
    }
    name_in(where, sizeof where, name, "unit");
    if (present & 1u << UNIT &&
        json_read_fields(l->unit, where, unit_fields, COUNT(unit_fields), 1, &l->c, unit_given, m) != 0)
        return -1;
    return 0;
}

/* The keys that stand or fall with the block. own: those that this layer's object has itself. */
static int finish_block(layer *l, uint32_t own, const checkpoint_config *c, const layer_name *name, message *m)
{
    char key[40];
    for (int i = D_INNER; i <= PROJ_BIAS; i++) {
        name_in(key, sizeof key, name, outer_fields[i].name);
        if (l->c.block == B2S6_BLOCK_MAMBA && MAMBA_NEEDS & ~l->given & 1u << i)
            return complain(m, "%s is missing: block \"mamba\" needs it", key);
        if (l->c.block != B2S6_BLOCK_MAMBA && MAMBA_ALONE & own & 1u << i)
            return complain(m, "%s is for block \"mamba\" alone", key);
    }
    l->c.in_proj_bias = l->c.out_proj_bias = l->proj_bias;
    if (l->c.block != B2S6_BLOCK_MAMBA) {
        l->c.d_inner = c->d_model;
        l->c.d_conv = l->c.in_proj_bias = l->c.out_proj_bias = 0;
    }
    return 0;
}

/* Checks what a layer has come to, and completes it. */
static int finish_layer(layer *l, uint32_t own, const checkpoint_config *c, const layer_name *name, message *m)
{
    char where[40], inner_text[160];
    message inner = { inner_text, sizeof inner_text };
    name_in(where, sizeof where, name, "norm");
    if (l->c.norm != B2S6_NORM_NONE && require(norm_fields, COUNT(norm_fields), l->norm_given, where, m) != 0)
        return -1;
    if (finish_block(l, own, c, name, m) != 0)
        return -1;
    if (checkpoint_check_layer(&l->c, c, &inner) != 0)
        return complain(m, "%s%s%s", name->text, name->text[0] ? ": " : "", inner_text);
    return 0;
}

/* Layer i: *all, but for what its own object says. */
static int read_layer(checkpoint_layer_config *out, const layer *all, json object, uint32_t i, const checkpoint_config *c,
                      message *m)
{
    layer l = *all;
    layer_name name;
    uint32_t own, unit_given;
    snprintf(name.text, sizeof name.text, "layers[%u]", (unsigned)i);
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "%s is not an object", name.text);
    if (json_read_fields(object, name.text, outer_fields, N_LAYER_FIELDS, 1, &l, &own, m) != 0 ||
        read_inner(&l, own, &name, &unit_given, m) != 0)
        return -1;
    l.given |= own;
    if (unit_given & 1u << DELTA && l.c.delta != B2S6_DELTA_LOWRANK && !(unit_given & 1u << DT_RANK))
        l.c.dt_rank = 0;  /* the rank of the delta that this layer has another one for */
    if (finish_layer(&l, own, c, &name, m) != 0)
        return -1;
    *out = l.c;
    return 0;
}

/* The list of layers: all are read, and together they use what is said for all of them. */
static int read_layers(checkpoint *ck, const outer *o, message *m)
{
    json object;
    uint32_t n = 0;
    int mamba = 0;
    if (json_kind_of(o->layers) != JSON_ARRAY)
        return complain(m, "layers is not a list");
    for (json_walk walk = json_begin(o->layers); json_next(&walk, NULL, &object); n++)
        if (n < o->c.n_layers) {
            if (read_layer(&ck->layers[n].config, &o->l, object, n, &o->c, m) != 0)
                return -1;
            mamba |= ck->layers[n].config.block == B2S6_BLOCK_MAMBA;
        }
    if (n != o->c.n_layers)
        return complain(m, "layers has %u elements, but n_layers is %u", (unsigned)n, (unsigned)o->c.n_layers);
    for (int i = D_INNER; i <= PROJ_BIAS; i++)
        if (!mamba && o->l.given & 1u << i)
            return complain(m, "%s is for block \"mamba\" alone", outer_fields[i].name);
    return 0;
}

/* What all layers are, unless they say otherwise. */
static int read_all_layers(checkpoint *ck, outer *o, message *m)
{
    static const layer_name nameless = { "" };
    const uint32_t needed = (1u << N_LAYER_FIELDS) - 1, unit_needed = (uint32_t)COUNT(unit_fields) - UNIT_OPTIONAL;
    uint32_t unit_given;
    if (require(outer_fields, N_LAYER_FIELDS, o->l.given | (needed & MAMBA_ALONE), "", m) != 0 ||
        read_inner(&o->l, needed, &nameless, &unit_given, m) != 0 ||
        require(norm_fields, 1, o->l.norm_given, "norm", m) != 0 ||
        require(unit_fields, unit_needed, unit_given, "unit", m) != 0)
        return -1;
    if (!(o->l.given & 1u << LAYERS) && finish_layer(&o->l, o->l.given, &o->c, &nameless, m) != 0)
        return -1;
    if (checkpoint_allocate(ck, &o->l.c, m) != 0)
        return -1;
    return o->l.given & 1u << LAYERS ? read_layers(ck, o, m) : 0;
}

static int read_final_norm(checkpoint_config *c, json object, message *m)
{
    uint32_t given;
    if (json_read_fields(object, "final_norm", final_norm_fields, COUNT(final_norm_fields), 1, c, &given, m) != 0)
        return -1;
    return c->final_norm == B2S6_NORM_NONE ? 0
                                           : require(final_norm_fields, COUNT(final_norm_fields), given, "final_norm", m);
}

static int read_outer(checkpoint *ck, outer *o, json object, message *m)
{
    checkpoint_config *c = &o->c;
    uint32_t ignored;
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "it is not a JSON object");
    if (json_read_fields(object, "", outer_fields, COUNT(outer_fields), 1, o, &o->l.given, m) != 0 ||
        json_read_fields(o->input, "input", input_fields, COUNT(input_fields), 1, c, &ignored, m) != 0 ||
        read_final_norm(c, o->final_norm, m) != 0 ||
        json_read_fields(o->head, "head", head_fields, COUNT(head_fields), 1, c, &ignored, m) != 0)
        return -1;
    if (c->head_size == 0)
        c->head_bias = 0;
    if (checkpoint_check_config(c, m) != 0)
        return -1;
    ck->config = *c;
    return read_all_layers(ck, o, m);
}

int config_read_b2s6(checkpoint *ck, const char *text, message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    outer o;
    json object;
    size_t at;
    const char *problem = json_check(&object, text, strlen(text), &at);
    if (problem)
        return complain(m, "the configuration (metadata b2s6) is not JSON: %s (byte %zu)", problem, at);
    memset(&o, 0, sizeof o);
    if (read_outer(ck, &o, object, &inner) != 0)
        return complain(m, "the configuration (metadata b2s6): %s", inner_text);
    return 0;
}
