/*
 * resample.c - rates of sound cards to 8 kHz (resample.h)
 *
 * The ratio is up / down in lowest terms. Output k is at input time k down / up; its weights depend on the fraction
 * alone, of which
 * there are `up`. Cutoff 3.7 kHz of the 4 that 8 kHz can carry, Blackman's window.
 */
#include "resample.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846, cutoff = 3700.0;

/* The sinc under its window, x in output samples, |x| <= RESAMPLE_REACH */
static double sinc(double x)
{
    const double turn = 2 * pi * x * cutoff / 8000, place = pi * x / RESAMPLE_REACH;
    const double window = 0.42 + 0.5 * cos(place) + 0.08 * cos(2 * place);

    return fabs(x) >= RESAMPLE_REACH ? 0 : window * (fabs(turn) < 1e-9 ? 1 : sin(turn) / turn);
}

/* Weights of one fraction as whole numbers that sum to 2^15: what rounding leaves goes to the largest. */
static void make_row(const struct resampler *r, uint32_t phase, int32_t *row)
{
    const double step = (double)r->up / r->down;
    double values[RESAMPLE_TAPS], sum = 0;
    int32_t left = 32768;
    uint32_t largest = 0;

    for (uint32_t i = 0; i < r->taps; i++) {
        /* row[0] meets the oldest input; the output is phase / up after the input of row[taps / 2 - 1] */
        values[i] = sinc(((double)i - (r->taps / 2 - 1) - (double)phase / r->up) * step);
        sum += values[i];
    }
    for (uint32_t i = 0; i < r->taps; i++) {
        row[i] = (int32_t)floor(values[i] / sum * 32768 + 0.5);
        left -= row[i];
        if (row[i] > row[largest])
            largest = i;
    }
    row[largest] += left;
}

int resampler_init(struct resampler *r, uint32_t rate)
{
    memset(r, 0, sizeof *r);
    if (rate != 8000 && rate != 16000 && rate != 44100 && rate != 48000)
        return -1;
    r->up = rate == 44100 ? 80 : 1;
    r->down = rate == 44100 ? 441 : rate / 8000;
    if (r->up == r->down)
        return 0;
    r->taps = 2 * ((RESAMPLE_REACH * r->down + r->up - 1) / r->up);
    r->wanted = r->taps / 2 + 1;        /* the first output is at the first input: as many inputs are silence before it */
    for (uint32_t phase = 0; phase < r->up; phase++)
        make_row(r, phase, r->weights[phase]);
    return 0;
}

static int16_t output(const struct resampler *r)
{
    const int32_t *w = r->weights[r->phase];
    int64_t sum = 16384;
    uint32_t at = r->at;

    for (uint32_t i = 0; i < r->taps; i++) {
        sum += (int64_t)w[i] * r->ring[at];
        at = at + 1 < r->taps ? at + 1 : 0;
    }
    sum = sum >= 0 ? sum / 32768 : -((-sum + 32767) / 32768);
    return (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
}

size_t resampler_push(struct resampler *r, const int16_t *samples, size_t n, int16_t *out, int *ready)
{
    size_t taken = 0;

    *ready = 0;
    if (r->up == r->down) {
        *ready = n > 0;
        if (n)
            *out = samples[0];
        return n > 0;
    }
    while (taken < n && r->wanted) {
        r->ring[r->at] = samples[taken++];
        r->at = r->at + 1 < r->taps ? r->at + 1 : 0;
        r->wanted--;
    }
    if (r->wanted || !taken)
        return taken;
    *out = output(r);
    *ready = 1;
    r->phase += r->down;
    r->wanted = r->phase / r->up;
    r->phase %= r->up;
    return taken;
}
