/* budget.c - the least program that opens a model, makes a state and steps it: what the library costs is measured on it */
#include "digits.h"

int program(void);

static B2S6_ALIGNED unsigned char handle[DIGITS_HANDLE_SIZE];
static B2S6_ALIGNED unsigned char memory[DIGITS_STATE_SIZE];

/* The model lies elsewhere and does not count. */
extern const unsigned char elsewhere[];

int program(void)
{
    float feature = 0, out[DIGITS_OUTPUT_SIZE];
    b2s6_model *model;
    b2s6_state *state;

    return b2s6_model_place(&model, handle, sizeof handle, elsewhere, DIGITS_SIZE, NULL, NULL) != B2S6_OK ||
           b2s6_state_place(&state, model, memory, sizeof memory) != B2S6_OK ||
           b2s6_step_features(state, &feature, 1, out, DIGITS_OUTPUT_SIZE) != B2S6_OK;
}
