/*
 * The table of blocks, and what all layers have in common: reading, binding and placing them.
 *
 * A layer is read in three steps, each with the block's part in it: its configuration, its tensors, and what it keeps of a
 * stream and wants of a workspace. Nobody else asks which kind a layer is: afterwards the layer has a pointer to its
 * block, and a pass calls that.
 */
#include "block.h"

#include "status.h"

/*
 * By b2s6_block; NULL for one that the build leaves out. The numbers are those of the file and never change, so each has
 * its line even where it has no block: a file that names it is then told apart from a wrong one.
 */
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

/*
 * The table's order is the numbers'. Who adds a block adds it to the condition: a line too many, too few or in another
 * place does not compile.
 */
enum { N_BLOCKS = sizeof blocks / sizeof blocks[0] };
B2S6_STATIC_ASSERT(a_line_for_every_block, B2S6_BLOCK_S4 == 1 && B2S6_BLOCK_MAMBA == 2 && B2S6_BLOCK_MAMBA2 == 3 &&
                                               B2S6_BLOCK_MLP == 4 && N_BLOCKS == 5);

/* What every layer has, before the keys of its block. The block's number is below N_BLOCKS after this. */
static const struct key layer_keys[] = {
    B2S6_KEY(KEY_BLOCK, layer_config, block, 1, N_BLOCKS - 1, "block"),
    B2S6_KEY(KEY_NORM, layer_config, norm, 0, 3, "norm kind"),
    B2S6_KEY(KEY_NORM_PLACE, layer_config, norm_place, 1, 2, "norm place"),
    B2S6_KEY(KEY_NORM_EPS, layer_config, norm_eps, 0, FORMAT_MAX_EPS_BITS, "norm eps"),
};

/* No bound is asked for: kind is a value of KEY_BLOCK, whose range ends with the table. */
const struct block *b2s6_block_of(uint32_t kind)
{
    return blocks[kind];
}

/*
 * The rules of a layer that the ranges of its keys cannot say; the block is known. The block comes first, as it fills in
 * what it implies (d_inner of an s4 block), which the unit's rules are about. Rules of the format come before what the
 * build leaves out: the status says whether another build would help.
 */
static void check_layer(struct config_reader *r, struct layer_config *c, const struct block *block,
                        const struct model_config *m)
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

/*
 * A layer without entries is like the one before it: *layer has that one's configuration and block, checked, and they
 * stay. Otherwise all of the old is cleared first, so that a key which this block does not have is 0. The first layer
 * must have entries. Optional entries alone are stepped over, and do not begin a configuration.
 */
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
            b2s6_config_fail(r, B2S6_ERROR_UNSUPPORTED,
                             B2S6_WORDS("this build of the library leaves out blocks of this kind"));
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

/* The norm's roles come before all that a block has, as its place in the table does. */
void b2s6_layer_bind(struct binder *b, struct layer *layer, const struct model_config *m)
{
    b2s6_take_norm(b, ROLE_NORM_WEIGHT, layer->config.norm, m->d_model, &layer->norm_weight, &layer->norm_bias);
    layer->block->bind(b, layer, m->d_model);
    b->section++;
}

/* The parts that the block does not name stay as they are, all zero: no such part. */
void b2s6_layer_place(struct needs *needs, struct layer *layer, const struct model_config *m)
{
    layer->block->place(needs, layer, m->d_model);
}
