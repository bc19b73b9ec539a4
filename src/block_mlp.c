/* The mlp block: a gated MLP without memory, out (v silu(g)), (v, g) = in_proj input. It follows mixers in some stacks. */
#include "block.h"
#include "block_parts.h"

#if B2S6_HAS_MLP

static const struct key mlp_keys[] = {
    B2S6_KEY(KEY_D_INNER, layer_config, d_inner, 1, FORMAT_MAX_WIDTH, "d_inner"),
};

static const char *mlp_check(struct layer_config *c, const struct model_config *m)
{
    (void)c;
    (void)m;
    return NULL;
}

static void mlp_bind(struct binder *b, struct layer *layer, uint32_t d_model)
{
    b2s6_take_matrix(b, &layer->in_proj, ROLE_IN_PROJ, 2, layer->config.d_inner, d_model);
    b2s6_need_prepared(b, &layer->in_proj, 1);
    b2s6_take_matrix(b, &layer->out, ROLE_OUT, 1, d_model, layer->config.d_inner);
    b2s6_need_prepared(b, &layer->out, 1);
}

static void mlp_place(struct needs *needs, struct layer *layer, uint32_t d_model)
{
    const uint32_t d = b2s6_pad16(d_model), expanded = 2 * b2s6_pad16(layer->config.d_inner);

    needs->expanded = needs->expanded < expanded ? expanded : needs->expanded;
    needs->projected = needs->projected < d ? d : needs->projected;
}

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
