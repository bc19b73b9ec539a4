/*
 * prediction.h - a model's scores as whole numbers: weights, and frequencies for the range coder
 *
 * Everything that a compressed file depends on is done in integers here (docs/compress.md gives the arithmetic in full), so
 * that two machines that agree on the scores agree on the file.
 */
#ifndef B2S6_CLI_PREDICTION_H
#define B2S6_CLI_PREDICTION_H

#include <stdint.h>

#include "byte_model.h"

/* 1 at the scale of weights; exp(0). */
#define WEIGHT_ONE 0x80000000u

/* A factor on the scores, and with it log2(e): the inverse of the temperature. */
#define SCALE_ONE 24204406u /* log2(e) 2^24 */

/* Frequencies of the 256 bytes add up to this. */
#define FREQUENCY_BITS 24
#define FREQUENCY_TOTAL (1u << FREQUENCY_BITS)

/*
 * The model is mixed with the flat distribution, which knows nothing: every byte has at least `flat` of the total. After
 * each byte, flat moves to whichever of the two predicted it better, between these bounds. A file that the model is no use
 * for costs 8 bits a byte and next to nothing more; one that it understands pays almost nothing for the precaution.
 */
#define FLAT_MIN 16u
#define FLAT_MAX (65536u - FLAT_MIN)

/* weights[i] = exp(scale (row[i] - max row)), 0 .. WEIGHT_ONE. A score that is not a number counts as the lowest. */
void weights_of_scores(const float *row, uint32_t scale, uint32_t *weights);

/* Frequencies in proportion to weights, on top of flat for each byte: frequencies (256), their sum FREQUENCY_TOTAL. */
void frequencies_of_weights(const uint32_t *weights, uint32_t flat, uint32_t *frequencies);

/* flat for the next byte, after one that had this frequency. */
uint32_t flat_after(uint32_t flat, uint32_t frequency);

#endif
