/*
 * probe.h - one unit alone, through the library
 *
 * The library runs whole models. A probe is a model around one unit of width d that is transparent: a mamba block without
 * norm, whose convolution has one tap of weight 1, whose gate is constant and whose projections pass the channels on. The
 * constant comes from an input column beside the channels. So the unit reads u = SiLU(feature) and its y can be taken from
 * the output. features_for gives the features whose SiLU is u.
 */
#ifndef TEST_PROBE_H
#define TEST_PROBE_H

#include "subjects.h"

typedef struct probe {
    trained_model model; /* the unit's tensors are layers.0.unit.* */
    opened_model opened;
    size_t d;
    float gain; /* what the output projection multiplies y with; 1 unless probe_gain set it */
} probe;

/* A unit of width d with random tensors; alter probe->model's tensors before probe_open. */
void probe_make(probe *p, const unit_config *unit, size_t d, uint64_t seed);
void probe_open(probe *p);

/* For a y that would drown in the residual stream: a power of two. Before probe_open. */
void probe_gain(probe *p, float gain);
void probe_free(probe *p);

/* The unit's tensor of this name. */
trained_tensor *probe_tensor(probe *p, const char *name);
void fill(trained_tensor *t, float value);

/* u (n_steps, d), all above SiLU's minimum of -0.278, to features (n_steps, d); then u is what the library will see. */
void features_for(double *u, float *features, size_t count);

/* The library's rows (n_steps, d + 1) for features (n_steps, d), and the unit's y (n_steps, d) in them. */
void probe_rows(const probe *p, const float *features, size_t n_steps, float *rows);
void probe_run(const probe *p, const float *features, size_t n_steps, double *y);

#endif
