/*
 * The mlp block: a gated MLP, which follows mixers in some stacks.
 *
 *     (v, g) = in_proj input;   x += out (v silu(g))
 *
 * It has no unit (h stays 0, which config_has_unit asks for) and keeps nothing of a stream. It is two sections that other
 * blocks have too (block_parts.c), and the smallest example of a block.
 */
#include "block.h"
#include "block_parts.h"

#if B2S6_HAS_MLP

/* Its one key. The matrices' other side is the model's width. */
static const struct key mlp_keys[] = {
    B2S6_KEY(KEY_D_INNER, layer_config, d_inner, 1, FORMAT_MAX_WIDTH, "d_inner"),
};

/* Any width will do. */
static const char *mlp_check(struct layer_config *c, const struct model_config *m)
{
    (void)c;
    (void)m;
    return NULL;
}

/* v and g are one tensor of two matrices, the value first, as those of the other blocks are. */
static void mlp_bind(struct binder *b, struct layer *layer, uint32_t d_model)
{
    b2s6_take_matrix(b, &layer->in_proj, ROLE_IN_PROJ, 2, layer->config.d_inner, d_model);
    b2s6_need_prepared(b, &layer->in_proj, 1);
    b2s6_take_matrix(b, &layer->out, ROLE_OUT, 1, d_model, layer->config.d_inner);
    b2s6_need_prepared(b, &layer->out, 1);
}

/* v and g side by side; no parts of a stream. */
static void mlp_place(struct needs *needs, struct layer *layer, uint32_t d_model)
{
    const uint32_t d = b2s6_pad16(d_model), expanded = 2 * b2s6_pad16(layer->config.d_inner);

    needs->expanded = needs->expanded < expanded ? expanded : needs->expanded;
    needs->projected = needs->projected < d ? d : needs->projected;
}

/* v is overwritten by the gate and read by the projection, with v and g still side by side. */
static void mlp_pass(const struct pass *p, const struct layer *layer, const float *input)
{
    struct gated g;

    g.in = &layer->in_proj;
    g.bias = NULL;
    g.input = input;
    g.v = p->work->expanded;
    g.stride = 2 * b2s6_pad16(layer->config.d_inner);
    b2s6_block_gated(p, &g);
    b2s6_block_contract(p, &layer->out, NULL, g.v, g.stride);
}

const struct block b2s6_block_mlp = {
    B2S6_BLOCK_MLP, mlp_keys, sizeof mlp_keys / sizeof mlp_keys[0], 0, mlp_check, mlp_bind, mlp_place, mlp_pass, NULL
};

#endif
