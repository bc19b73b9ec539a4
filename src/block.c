/* The table of blocks, and what all layers have in common: reading, binding and placing them. */
#include "block.h"

#include "status.h"

/* By b2s6_block; NULL for one that the build leaves out. */
static const struct block *const blocks[] = {
    NULL,
#if B2S6_HAS_S4
    &b2s6_block_s4,
#else
    NULL,
#endif
#if B2S6_HAS_MAMBA
    &b2s6_block_mamba,
#else
    NULL,
#endif
#if B2S6_HAS_MAMBA2
    &b2s6_block_mamba2,
#else
    NULL,
#endif
#if B2S6_HAS_MLP
    &b2s6_block_mlp,
#else
    NULL,
#endif
};

enum { N_BLOCKS = sizeof blocks / sizeof blocks[0] };
B2S6_STATIC_ASSERT(a_line_for_every_block, B2S6_BLOCK_S4 == 1 && B2S6_BLOCK_MAMBA == 2 && B2S6_BLOCK_MAMBA2 == 3 &&
                                               B2S6_BLOCK_MLP == 4 && N_BLOCKS == 5);

static const struct key layer_keys[] = {
    B2S6_KEY(KEY_BLOCK, layer_config, block, 1, N_BLOCKS - 1, "block"),
    B2S6_KEY(KEY_NORM, layer_config, norm, 0, 3, "norm kind"),
    B2S6_KEY(KEY_NORM_PLACE, layer_config, norm_place, 1, 2, "norm place"),
    B2S6_KEY(KEY_NORM_EPS, layer_config, norm_eps, 0, FORMAT_MAX_EPS_BITS, "norm eps"),
};

const struct block *b2s6_block_of(uint32_t kind)
{
    return blocks[kind];
}

/* The rules of a layer that the ranges of its keys cannot say; the block is known. */
static void check_layer(struct config_reader *r, struct layer_config *c, const struct block *block, const struct model_config *m)
{
    b2s6_status status = B2S6_ERROR_FORMAT;
    const char *wrong = block->check(c, m);

    if (!wrong && config_eps_is_idle(c->norm, c->norm_eps))
        wrong = B2S6_WORDS("an eps without a norm that uses it");
    if (!wrong && config_has_unit(c))
        wrong = b2s6_unit_check(c, &status);
    if (!wrong) {
        status = B2S6_ERROR_UNSUPPORTED;
        wrong = b2s6_norm_left_out(c->norm);
    }
#if B2S6_HAS_MAMBA2
    if (!wrong && c->gated_norm)
        wrong = b2s6_norm_left_out(B2S6_NORM_RMS);
#endif
    if (!wrong && !B2S6_HAS_BIDIRECTIONAL && c->bidirectional)
        wrong = B2S6_WORDS("this build of the library leaves out bidirectional models");
    if (wrong)
        b2s6_config_fail(r, status, wrong);
}

void b2s6_layer_config(struct config_reader *r, struct layer *layer, const struct model_config *m)
{
    struct layer_config *c = &layer->config;
    const struct block *block;

    if (r->section == 1 || b2s6_config_has(r, KEY_BLOCK)) {
        memset(c, 0, sizeof *c);
        b2s6_config_take(r, layer_keys, sizeof layer_keys / sizeof layer_keys[0], c);
        if (r->status)
            return;
        layer->block = block = b2s6_block_of(c->block);
        if (!block) {
            b2s6_config_fail(r, B2S6_ERROR_UNSUPPORTED, B2S6_WORDS("this build of the library leaves out blocks of this kind"));
            return;
        }
        b2s6_config_take(r, block->keys, block->n_keys, c);
        if (block->has_unit_keys)
            b2s6_config_take(r, b2s6_unit_keys, UNIT_KEYS, c);
        if (!r->status)
            check_layer(r, c, block, m);
    }
    b2s6_config_end(r);
    r->section++;
}

void b2s6_layer_bind(struct binder *b, struct layer *layer, const struct model_config *m)
{
    b2s6_take_norm(b, ROLE_NORM_WEIGHT, layer->config.norm, m->d_model, &layer->norm_weight, &layer->norm_bias);
    layer->block->bind(b, layer, m->d_model);
    b->section++;
}

void b2s6_layer_place(struct needs *needs, struct layer *layer, const struct model_config *m)
{
    memset(layer->part, 0, sizeof layer->part);
    layer->block->place(needs, layer, m->d_model);
}
