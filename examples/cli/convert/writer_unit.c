/*
 * writer_unit.c - the tensors of a unit, in the form that a step wants: A in the units of its exponential, 1 / A folded
 * into B or beside it, channels in lanes
 *
 * Everything derived is computed in double and rounded once.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "writer.h"

typedef struct pair {
    double re, im;
} pair;

/* What the functions below need to know. */
typedef struct unit_writer {
    writer *w;
    uint32_t first;
    const checkpoint_unit *u;
    const checkpoint_layer_config *c;
    size_t h, p, n, d, cx, cc;
} unit_writer;

/* Row of A_log that channel i reads. */
static size_t a_row(const unit_writer *x, size_t i)
{
    return x->c->a_scope == B2S6_SCOPE_LAYER ? 0 : x->c->a_scope == B2S6_SCOPE_BLOCK ? i / x->p : i;
}

static pair a_of(const unit_writer *x, size_t row, size_t s)
{
    pair a = { -exp(tensor_at(&x->u->a_log, row, s, 0, 0)), 0 };
    if (x->c->complex_state)
        a.im = tensor_at(&x->u->a_imag, row, s, 0, 0);
    return a;
}

static pair inverse(pair a)
{
    double square = a.re * a.re + a.im * a.im;
    pair result = { a.re / square, -a.im / square };
    return result;
}

static pair divide(pair b, pair a)
{
    double square = a.re * a.re + a.im * a.im;
    pair result = { (b.re * a.re + b.im * a.im) / square, (b.im * a.re - b.re * a.im) / square };
    return result;
}

/* With zero-order hold B is divided by A: here when one A serves the layer, by UNIT_A_INVERSE otherwise. */
static int folds_a(const checkpoint_layer_config *c)
{
    return !c->euler && c->a_scope == B2S6_SCOPE_LAYER;
}

static pair b_weight_at(const unit_writer *x, size_t j, size_t s, size_t k)
{
    const tensor *t = &x->u->b_weight;
    pair b = { tensor_at(t, j, s, k, 0), x->cx == 2 ? tensor_at(t, j, s, k, 1) : 0 };
    return folds_a(x->c) ? divide(b, a_of(x, 0, s)) : b;
}

static pair b_bias_at(const unit_writer *x, size_t i, size_t s)
{
    const tensor *t = &x->u->b_bias;
    size_t j = i / x->p, k = i % x->p;
    pair b = { tensor_at(t, j, k, s, 0), x->cx == 2 ? tensor_at(t, j, k, s, 1) : 0 };
    return folds_a(x->c) ? divide(b, a_of(x, 0, s)) : b;
}

/*
 * Im A in half turns as a float, and the radians that rounding took from it: the step adds them to the angle's sine, or slow
 * states that turn fast would drift.
 */
static void store_turn(writer *w, unsigned char *place, size_t index, size_t step, double a_im)
{
    static const double pi = 3.14159265358979323846, one_over_pi = 0.31830988618379067154;
    double turn = a_im * one_over_pi;
    writer_store(w, place, index + A_TURN * step, turn);
    if (!w->failed)
        writer_store(w, place, index + A_TURN_LO * step, pi * (turn - (double)(float)turn));
}

/* The planes of A of one state, step values apart. */
static void store_a(const unit_writer *x, unsigned char *place, size_t index, size_t step, size_t row, size_t s)
{
    static const double log2_e = 1.4426950408889634074;  /* 1 / ln 2 */
    pair a = a_of(x, row, s);
    double decay = a.re * log2_e;
    if (!x->w->failed && !((float)fmax(decay, -FLT_MAX) < 0 && decay >= -FLT_MAX))
        x->w->failed = complain(x->w->m, "tensor %.80s: exp(A_log) is %s, A would not be stable (at [%zu, %zu])",
                                x->u->a_log.name, decay < -1 ? "infinite" : "zero", row, s);
    if (x->w->failed)
        return;
    writer_store(x->w, place, index + A_DECAY * step, decay);
    if (x->c->complex_state)
        store_turn(x->w, place, index, step, a.im);
}

static void put_a(const unit_writer *x)
{
    size_t planes = x->c->complex_state ? A_PLANES_COMPLEX : A_PLANES_REAL, groups = pad16(x->d) / LANES;
    const char *name = x->u->a_log.name;
    unsigned char *place;
    if (x->c->a_scope == B2S6_SCOPE_LAYER) {
        place = writer_place_plain(x->w, name, x->first + UNIT_A, 1, x->n, planes);
        for (size_t s = 0; place && s < x->n; s++)
            store_a(x, place, s * planes, 1, 0, s);
        return;
    }
    place = writer_place_plain(x->w, name, x->first + UNIT_A, groups, x->n * planes, LANES);
    for (size_t i = 0; place && i < groups * LANES; i++)  /* lanes after the last channel repeat it */
        for (size_t s = 0; s < x->n; s++)
            store_a(x, place, (i / LANES * x->n + s) * planes * LANES + i % LANES, LANES,
                    a_row(x, i < x->d ? i : x->d - 1), s);
}

/* One value, or real and imaginary part, for every channel and state: (groups, n, planes, 16). */
static void put_lanes(const unit_writer *x, uint32_t role, const char *name, size_t planes,
                      pair (*at)(const unit_writer *x, size_t i, size_t s))
{
    unsigned char *place =
        writer_place_plain(x->w, name, x->first + role, pad16(x->d) / LANES, x->n * planes, LANES);
    for (size_t i = 0; place && i < x->d; i++)
        for (size_t s = 0; s < x->n; s++) {
            pair value = at(x, i, s);
            size_t index = (i / LANES * x->n + s) * planes * LANES + i % LANES;
            writer_store(x->w, place, index, value.re);
            if (planes == 2)
                writer_store(x->w, place, index + LANES, value.im);
        }
}

static pair a_inverse_at(const unit_writer *x, size_t i, size_t s)
{
    return inverse(a_of(x, a_row(x, i), s));
}

static pair c_at(const unit_writer *x, size_t i, size_t s)
{
    size_t j = i / x->p, k = i % x->p;
    pair value = { tensor_at(&x->u->c, j, k, s, 0), x->cc == 2 ? tensor_at(&x->u->c, j, k, s, 1) : 0 };
    return value;
}

/* Element (r, k) of block j's matrix of B and C: n rows each of B re, B im, C re, C im, as far as there are such. */
static double bc_at(const void *context, size_t j, size_t r, size_t k)
{
    const unit_writer *x = context;
    size_t b_rows = x->c->b_weight ? x->n * x->cx : 0, s = r % x->n;
    if (r < b_rows) {
        pair b = b_weight_at(x, j, s, k);
        return r < x->n ? b.re : b.im;
    }
    return tensor_at(&x->u->c, j, k, s, (r - b_rows) / x->n);
}

/* The value of the checkpoint that bc_at makes an element from. */
static void bc_origin(const void *context, size_t j, size_t r, size_t k, char *text, size_t size)
{
    const unit_writer *x = context;
    size_t b_rows = x->c->b_weight ? x->n * x->cx : 0, s = r % x->n, is_b = r < b_rows;
    const tensor *t = is_b ? &x->u->b_weight : &x->u->c;
    size_t second = is_b ? s : k, third = is_b ? k : s;
    int used = snprintf(text, size, "tensor %.80s: the value %g", t->name, tensor_at(t, j, second, third, 0));
    if ((is_b ? x->cx : x->cc) == 2)
        used += snprintf(text + used, size - (size_t)used, " %+gi", tensor_at(t, j, second, third, 1));
    snprintf(text + used, size - (size_t)used, " at [%zu, %zu, %zu]%s", j, second, third,
             is_b && folds_a(x->c) ? ", divided by A," : "");
}

static void put_bc(const unit_writer *x)
{
    size_t rows = (x->c->b_weight ? x->n * x->cx : 0) + (x->c->c_selective ? x->n * x->cc : 0);
    matrix_source source = { x->c->b_weight ? x->u->b_weight.name : x->u->c.name, x->h, rows, x->p, bc_at, x, bc_origin };
    if (rows > 0)
        writer_matrix(x->w, x->first + UNIT_BC, x->w->types->b_and_c, &source);
}

static double weight_at(const void *context, size_t i, size_t r, size_t k)
{
    (void)i;
    return tensor_at(context, r, k, 0, 0);
}

static void put_weight(const unit_writer *x, uint32_t role, const tensor *t)
{
    matrix_source source = { t->name, 1, t->dims[0], t->dims[1], weight_at, t, NULL };
    writer_matrix(x->w, x->first + role, &matrix_f32, &source);
}

/* b; or the step itself when nothing selects it. */
static void put_b(const unit_writer *x)
{
    const tensor *t = &x->u->b;
    unsigned char *place;
    if (x->c->delta != B2S6_DELTA_CONSTANT) {
        writer_vector(x->w, x->first + UNIT_DELTA, t, 1, x->d);
        return;
    }
    place = writer_place_plain(x->w, t->name, x->first + UNIT_DELTA, 1, 1, pad16(x->d));
    for (size_t i = 0; place && i < x->d && !x->w->failed; i++) {
        double step = exp(tensor_at(t, i / x->p, i % x->p, 0, 0));
        if (!(step <= FLT_MAX) || !((float)step > 0))
            x->w->failed = complain(x->w->m, "tensor %.80s: the step exp(b) is %s (at [%zu, %zu])", t->name,
                                    step < 1 ? "zero" : "infinite", i / x->p, i % x->p);
        else
            writer_store(x->w, place, i, step);
    }
}

void writer_unit_scalar_a(writer *w, uint32_t first, const checkpoint_layer_config *c, const checkpoint_unit *u)
{
    checkpoint_layer_config one = *c;  /* of one state */
    unit_writer x = { w, first, u, &one, c->h, c->d_inner / c->h, 1, c->d_inner, 1, 1 };
    one.complex_state = 0;
    one.a_scope = B2S6_SCOPE_BLOCK;
    put_a(&x);
}

void writer_unit(writer *w, uint32_t first, const checkpoint_layer_config *c, const checkpoint_unit *u)
{
    unit_writer x = { w, first, u, c, c->h, c->d_inner / c->h, c->d_state, c->d_inner, c->complex_state ? 2 : 1,
                      c->c_complex ? 2 : 1 };
    if (c->delta == B2S6_DELTA_BLOCK)
        writer_vector(w, first + UNIT_W, &u->w, 1, x.d);
    if (c->delta == B2S6_DELTA_LOWRANK) {
        put_weight(&x, UNIT_X, &u->x_weight);
        put_weight(&x, UNIT_DT, &u->dt_weight);
    }
    put_b(&x);
    put_a(&x);
    if (!c->euler && c->a_scope != B2S6_SCOPE_LAYER)
        put_lanes(&x, UNIT_A_INVERSE, u->a_log.name, x.cx, a_inverse_at);
    put_bc(&x);
    if (c->b_bias)
        put_lanes(&x, UNIT_B_BIAS, u->b_bias.name, x.cx, b_bias_at);
    if (!c->c_selective)
        put_lanes(&x, UNIT_C, u->c.name, x.cc, c_at);
    if (c->skip)
        writer_vector(w, first + UNIT_D, &u->d, 1, x.d);
}
