/*
 * reference.h - what a model must answer, computed in float64 from the checkpoint
 *
 * Written from the equations (docs/mathematics.md), one token at a time, with the C library's exp, sin and the rest. It
 * shares nothing with the library: neither code nor file format nor order of operations.
 */
#ifndef TEST_REFERENCE_H
#define TEST_REFERENCE_H

#include "trained.h"

/*
 * Runs n_steps steps: tokens (n_steps), or features (n_steps, input_size); the other one is not looked at. Writes
 * out (n_steps, output_width) and, unless it is NULL, hidden (n_steps, d_model), the rows before the head. Of a pooled
 * model a row is the answer up to its step; of a pooled bidirectional one only the last row means anything.
 */
void reference_run(const trained_model *model, const int32_t *tokens, const float *features, size_t n_steps, double *hidden,
                   double *out);

/*
 * One unit alone: u (n_steps, d) to y (n_steps, d), d = h * p. prefix names its tensors, such as "layers.0.unit.".
 */
void reference_unit(const trained_model *model, const char *prefix, const double *u, size_t n_steps, double *y);

/* max |y - y*| / max |y*| over count values: what the tolerance of 1e-5 is for. Infinite if a value is not finite. */
double relative_error(const double *expected, const float *value, size_t count);

#endif
