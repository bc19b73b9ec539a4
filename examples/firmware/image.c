/*
 * image.c - a trained model in flash reads handwritten digits, on a board or on the desktop
 *
 * All memory is reserved when this is compiled, from the macros that b2s6 embed wrote. Every line that the program prints is the same on
 * every machine, but those that begin with '#': what this machine took.
 */
#include "board.h"
#include "digits.h"
#include "digits_data.h"
#include "print.h"
#include "refusals.h"

#ifndef IMAGES
#define IMAGES 8
#endif

enum { GUARD_BYTES = 64, GUARD = 0xa5 };

/* Handle and state exactly as large as the macros say, with a pattern around them. */
static struct {
    unsigned char before[GUARD_BYTES];
    unsigned char handle[DIGITS_HANDLE_SIZE];
    unsigned char between[GUARD_BYTES];
    unsigned char state[(DIGITS_STATE_SIZE + 63) / 64 * 64];
    unsigned char after[GUARD_BYTES];
} B2S6_ALIGNED ram;

/* Of stack, in bytes, where steps are called. */
static uint32_t depth_of_steps;

static void paint_guards(void)
{
    int i;

    for (i = 0; i < GUARD_BYTES; i++)
        ram.before[i] = ram.between[i] = ram.after[i] = GUARD;
}

static int guards_hold(void)
{
    int i;

    for (i = 0; i < GUARD_BYTES; i++)
        if (ram.before[i] != GUARD || ram.between[i] != GUARD || ram.after[i] != GUARD)
            return 0;
    return 1;
}

/* FNV-1a over the bits of the outputs. */
static uint64_t digest_of(uint64_t digest, const float *out)
{
    union {
        float f;
        uint32_t u;
    } bits;
    int i, shift;

    for (i = 0; i < (int)DIGITS_OUTPUT_SIZE; i++) {
        bits.f = out[i];
        for (shift = 0; shift < 32; shift += 8)
            digest = (digest ^ (bits.u >> shift & 0xff)) * UINT64_C(0x100000001b3);
    }
    return digest;
}

static uint32_t largest(const float *out)
{
    uint32_t i, best = 0;

    for (i = 1; i < DIGITS_OUTPUT_SIZE; i++)
        if (out[i] > out[best])
            best = i;
    return best;
}

/* Reads image i pixel by pixel; the digest takes the outputs of every step. */
static b2s6_status read_image(b2s6_state *state, uint32_t i, float *out, uint64_t *digest, uint64_t *instructions)
{
    const unsigned char *pixels = digits_pixels(i);
    b2s6_status status = b2s6_state_reset(state);
    uint64_t before;
    int step;

    depth_of_steps = board_stack_depth();
    for (step = 0; !status && step < DIGIT_PIXELS; step++) {
        const float feature = (float)pixels[step] / 16.0f;

        before = board_instructions();
        status = b2s6_step_features(state, &feature, 1, out, DIGITS_OUTPUT_SIZE);
        *instructions += board_instructions() - before;
        *digest = digest_of(*digest, out);
    }
    return status;
}

static void print_image(uint32_t i, uint32_t predicted, uint64_t digest)
{
    print_text("image ");
    print_number(i);
    print_text(": ");
    print_number(predicted);
    print_text(predicted == digits_label(i) ? " right " : " wrong ");
    print_hex(digest);
    print_text("\n");
}

static void print_count(const char *what, uint64_t instructions)
{
    if (!instructions)
        return; /* nobody counts them */
    print_text("# instructions ");
    print_text(what);
    print_text(": ");
    print_number((uint32_t)instructions);
    print_text("\n");
}

static b2s6_status read_images(b2s6_state *state)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325), instructions = 0;
    float out[DIGITS_OUTPUT_SIZE];
    b2s6_status status = B2S6_OK;
    uint32_t i;

    for (i = 0; !status && i < IMAGES; i++) {
        status = read_image(state, i, out, &digest, &instructions);
        print_image(i, largest(out), digest);
    }
    print_count("a step", instructions / (IMAGES * DIGIT_PIXELS));
    return status;
}

/* Prints what calls that began at this depth took; is it more than the macro says? */
static int takes_more_stack(const char *what, uint32_t depth)
{
    const uint32_t used = board_stack_used() - depth;

    if (!board_stack_used())
        return 0; /* nobody knows */
    print_text("# stack of ");
    print_text(what);
    print_text(": ");
    print_number(used);
    print_text("\n");
    return used > DIGITS_STACK_SIZE;
}

static void print_memory(void)
{
    if (!board_stack_used())
        return;
    print_text("# model ");
    print_number(DIGITS_SIZE);
    print_text(" handle ");
    print_number((uint32_t)DIGITS_HANDLE_SIZE);
    print_text(" state ");
    print_number(DIGITS_STATE_SIZE);
    print_text("\n");
}

static int failed(const char *what, b2s6_status status)
{
    print_text(what);
    print_text(" failed: status ");
    print_number((uint32_t)status);
    print_text("\n");
    return 1;
}

int program(void)
{
    const b2s6_open_options verify = { sizeof verify, B2S6_OPEN_VERIFY, NULL, NULL };
    b2s6_model *model;
    b2s6_state *state;
    b2s6_status status;
    uint64_t before;

    status = b2s6_self_test();
    if (status)
        return failed("self test", status);
    paint_guards();
    before = board_instructions();
    status = b2s6_model_place(&model, ram.handle, sizeof ram.handle, digits_model, sizeof digits_model, &verify, NULL);
    if (status)
        return failed("open", status);
    print_count("to open", board_instructions() - before);
    status = b2s6_state_place(&state, model, ram.state, DIGITS_STATE_SIZE);
    if (status)
        return failed("state", status);
    if (takes_more_stack("open and state", board_stack_depth()))
        return failed("the stack of open and state", B2S6_OK);
    status = read_images(state);
    if (status)
        return failed("step", status);
    print_memory();
    if (takes_more_stack("steps", depth_of_steps))
        return failed("the stack of steps", B2S6_OK);
    if (!guards_hold())
        return failed("the memory around handle and state", B2S6_OK);
    b2s6_model_close(model);
    return refusals(ram.handle, ram.state);
}
