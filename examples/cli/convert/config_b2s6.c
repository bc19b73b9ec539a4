/* config_b2s6.c - see config_b2s6.h */
#include "config_b2s6.h"

#include <string.h>

#include "../support/json_fields.h"

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

/* The outermost object, with those inside it left for their own tables. */
typedef struct outer {
    checkpoint_config c;
    uint32_t version, proj_bias;
    json input, norm, final_norm, unit, head;
} outer;

#define OUTER(name, type, member, required, low, high, choices) \
    { name, type, offsetof(outer, member), required, low, high, choices }
enum { OUTER_D_INNER = 7, OUTER_D_CONV = 8, OUTER_PROJ_BIAS = 9 };  /* what only mamba blocks have */
static const json_field outer_fields[] = {
    OUTER("b2s6", FIELD_UNSIGNED, version, 1, 1, 1, NULL),
    OUTER("d_model", FIELD_UNSIGNED, c.d_model, 1, 1, 65536, NULL),
    OUTER("n_layers", FIELD_UNSIGNED, c.n_layers, 1, 1, 4096, NULL),
    OUTER("input", FIELD_OBJECT, input, 1, 0, 0, NULL),
    OUTER("norm", FIELD_OBJECT, norm, 1, 0, 0, NULL),
    OUTER("final_norm", FIELD_OBJECT, final_norm, 1, 0, 0, NULL),
    OUTER("block", FIELD_CHOICE, c.block, 1, 0, 0, blocks),
    OUTER("d_inner", FIELD_UNSIGNED, c.d_inner, 0, 1, 65536, NULL),
    OUTER("d_conv", FIELD_UNSIGNED, c.d_conv, 0, 1, 64, NULL),
    OUTER("proj_bias", FIELD_BOOLEAN, proj_bias, 0, 0, 0, NULL),
    OUTER("bidirectional", FIELD_BOOLEAN, c.bidirectional, 1, 0, 0, NULL),
    OUTER("unit", FIELD_OBJECT, unit, 1, 0, 0, NULL),
    OUTER("pool", FIELD_CHOICE, c.pool, 1, 0, 0, pools),
    OUTER("head", FIELD_OBJECT, head, 1, 0, 0, NULL),
};

#define INNER(name, type, member, required, low, high, choices) \
    { name, type, offsetof(checkpoint_config, member), required, low, high, choices }
static const json_field input_fields[] = {
    INNER("kind", FIELD_CHOICE, input_kind, 1, 0, 0, input_kinds),
    INNER("size", FIELD_UNSIGNED, input_size, 1, 1, 1u << 24, NULL),
};
enum { NORM_EPS = 1, NORM_PLACE = 2 };  /* what a norm of kind "none" need not have */
static const json_field norm_fields[] = {
    INNER("kind", FIELD_CHOICE, norm, 1, 0, 0, norms),
    INNER("eps", FIELD_REAL, norm_eps, 0, 0, 0, NULL),
    INNER("place", FIELD_CHOICE, norm_post, 0, 0, 0, places),
};
static const json_field final_norm_fields[] = {
    INNER("kind", FIELD_CHOICE, final_norm, 1, 0, 0, norms),
    INNER("eps", FIELD_REAL, final_norm_eps, 0, 0, 0, NULL),
};
static const json_field unit_fields[] = {
    INNER("h", FIELD_UNSIGNED, h, 1, 1, 65536, NULL),
    INNER("d_state", FIELD_UNSIGNED, d_state, 1, 1, 4096, NULL),
    INNER("complex", FIELD_BOOLEAN, complex_state, 1, 0, 0, NULL),
    INNER("a_scope", FIELD_CHOICE, a_scope, 1, 0, 0, scopes),
    INNER("b_weight", FIELD_BOOLEAN, b_weight, 1, 0, 0, NULL),
    INNER("b_bias", FIELD_BOOLEAN, b_bias, 1, 0, 0, NULL),
    INNER("c", FIELD_CHOICE, c_selective, 1, 0, 0, c_kinds),
    INNER("c_complex", FIELD_BOOLEAN, c_complex, 1, 0, 0, NULL),
    INNER("delta", FIELD_CHOICE, delta, 1, 0, 0, deltas),
    INNER("dt_rank", FIELD_UNSIGNED, dt_rank, 0, 0, 65536, NULL),
    INNER("discretization", FIELD_CHOICE, euler, 1, 0, 0, discretizations),
    INNER("conjugate", FIELD_BOOLEAN, conjugate, 1, 0, 0, NULL),
    INNER("skip", FIELD_BOOLEAN, skip, 1, 0, 0, NULL),
};
static const json_field head_fields[] = {
    INNER("size", FIELD_UNSIGNED, head_size, 1, 0, 1u << 24, NULL),
    INNER("bias", FIELD_BOOLEAN, head_bias, 1, 0, 0, NULL),
    INNER("tied", FIELD_BOOLEAN, head_tied, 1, 0, 0, NULL),
};

/* The keys that stand or fall with the block. */
static int read_block(checkpoint_config *c, uint32_t proj_bias, uint32_t present, message *m)
{
    static const int mamba_fields[] = { OUTER_D_INNER, OUTER_D_CONV, OUTER_PROJ_BIAS };
    if (c->block == B2S6_BLOCK_MAMBA) {
        for (size_t i = 0; i < 2; i++)
            if (!(present & 1u << mamba_fields[i]))
                return complain(m, "%s is missing: block \"mamba\" needs it", outer_fields[mamba_fields[i]].name);
        c->in_proj_bias = c->out_proj_bias = proj_bias;
        return 0;
    }
    for (size_t i = 0; i < COUNT(mamba_fields); i++)
        if (present & 1u << mamba_fields[i])
            return complain(m, "%s is for block \"mamba\" alone", outer_fields[mamba_fields[i]].name);
    c->d_inner = c->d_model;
    return 0;
}

static int read_norms(checkpoint_config *c, json norm, json final_norm, message *m)
{
    uint32_t present;
    if (json_read_fields(norm, "norm", norm_fields, COUNT(norm_fields), 1, c, &present, m) != 0)
        return -1;
    if (c->norm != B2S6_NORM_NONE && !(present & 1u << NORM_EPS))
        return complain(m, "norm.eps is missing");
    if (c->norm != B2S6_NORM_NONE && !(present & 1u << NORM_PLACE))
        return complain(m, "norm.place is missing");
    if (json_read_fields(final_norm, "final_norm", final_norm_fields, COUNT(final_norm_fields), 1, c, &present, m) != 0)
        return -1;
    if (c->final_norm != B2S6_NORM_NONE && !(present & 1u << NORM_EPS))
        return complain(m, "final_norm.eps is missing");
    return 0;
}

static int read_outer(outer *o, json object, message *m)
{
    checkpoint_config *c = &o->c;
    uint32_t present, ignored;
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "it is not a JSON object");
    if (json_read_fields(object, "", outer_fields, COUNT(outer_fields), 1, o, &present, m) != 0 ||
        read_block(c, o->proj_bias, present, m) != 0 ||
        json_read_fields(o->input, "input", input_fields, COUNT(input_fields), 1, c, &ignored, m) != 0 ||
        read_norms(c, o->norm, o->final_norm, m) != 0 ||
        json_read_fields(o->unit, "unit", unit_fields, COUNT(unit_fields), 1, c, &ignored, m) != 0 ||
        json_read_fields(o->head, "head", head_fields, COUNT(head_fields), 1, c, &ignored, m) != 0)
        return -1;
    if (c->head_size == 0)
        c->head_bias = 0;
    return checkpoint_check_config(c, m);
}

int config_read_b2s6(checkpoint_config *config, const char *text, message *m)
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
    if (read_outer(&o, object, &inner) != 0)
        return complain(m, "the configuration (metadata b2s6): %s", inner_text);
    *config = o.c;
    return 0;
}
