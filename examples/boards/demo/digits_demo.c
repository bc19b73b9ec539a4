/*
 * digits_demo.c - a handwritten seven, read row by row by a model in flash
 *
 * All memory is reserved when this is compiled: nothing is allocated, and a step takes the same time however many came before.
 */
#include "digits_demo.h"
#include "digits.h"
#include "seven.h"

static B2S6_ALIGNED unsigned char handle[DIGITS_HANDLE_SIZE];
static B2S6_ALIGNED unsigned char memory[DIGITS_STATE_SIZE];

static char digit(unsigned value)
{
    return (char)('0' + value);
}

static unsigned largest(const float scores[DIGITS_OUTPUT_SIZE])
{
    unsigned best = 0;
    for (unsigned i = 1; i < DIGITS_OUTPUT_SIZE; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

int digits_demo(void (*print)(const char *line))
{
    char line[] = "row 0: it may be a 0";
    float scores[DIGITS_OUTPUT_SIZE];
    b2s6_model *model;
    b2s6_state *state;
    b2s6_status status = b2s6_self_test(); /* does this build compute as results are defined? */

    if (status == B2S6_OK)
        status = b2s6_model_place(&model, handle, sizeof handle, digits_model, sizeof digits_model, NULL, NULL);
    if (status == B2S6_OK)
        status = b2s6_state_place(&state, model, memory, sizeof memory);
    for (unsigned i = 0; status == B2S6_OK && i < 64; i++) {
        status = b2s6_step_features(state, &seven[i], 1, scores, DIGITS_OUTPUT_SIZE);
        if (status == B2S6_OK && i % 8 == 7) {
            line[4] = digit(i / 8 + 1);
            line[sizeof line - 2] = digit(largest(scores));
            print(line);
        }
    }
    if (status != B2S6_OK)
        print("the model does not run here: docs/firmware.md tells what a status means");
    return status;
}
