/* refusals.c - see refusals.h */
#include "refusals.h"

#include "b2s6.h"
#include "board.h"
#include "digits.h"
#include "digits_data.h"
#include "print.h"
#include "small.h"

/* Models with mamba blocks and with weights of 8 bits: in a build that leaves these out, their headers would not even compile. They
 * say their sizes themselves. */
extern const unsigned char mamba_model[], small_q8_model[];

#if defined(B2S6_NO_MAMBA)
static const b2s6_status for_mamba = B2S6_ERROR_UNSUPPORTED;
#else
static const b2s6_status for_mamba = B2S6_OK;
#endif

#if defined(B2S6_NO_Q8)
static const b2s6_status for_q8 = B2S6_ERROR_UNSUPPORTED;
#else
static const b2s6_status for_q8 = B2S6_OK;
#endif

static int n_wrong;

static void expect(const char *what, b2s6_status status, b2s6_status expected)
{
    print_text(what);
    print_text(": status ");
    print_number((uint32_t)status);
    print_text(status == expected ? "\n" : ", WRONG\n");
    n_wrong += status != expected;
}

static b2s6_status place(unsigned char *handle, size_t handle_size, const unsigned char *data, size_t size, uint32_t flags)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    b2s6_status status;

    options.flags = flags;
    status = b2s6_model_place(&model, handle, handle_size, data, size, &options, NULL);
    return status ? status : model ? B2S6_OK : B2S6_STATUS_PIN;
}

static size_t size_of(const unsigned char *model)
{
    return model[16] + ((size_t)model[17] << 8);
}

static void bad_images(unsigned char *handle)
{
    const size_t n = sizeof digits_model;

    expect("image one byte off", place(handle, DIGITS_HANDLE_SIZE, digits_model + 1, n - 1, 0), B2S6_ERROR_ALIGNMENT);
    expect("image two bytes off", place(handle, DIGITS_HANDLE_SIZE, digits_model + 2, n - 2, 0), B2S6_ERROR_ALIGNMENT);
    expect("image from its middle", place(handle, DIGITS_HANDLE_SIZE, digits_model + 64, n - 64, 0), B2S6_ERROR_MAGIC);
    expect("image that is another file", place(handle, DIGITS_HANDLE_SIZE, digits_test, 4096, 0), B2S6_ERROR_MAGIC);
    expect("image one byte short", place(handle, DIGITS_HANDLE_SIZE, digits_model, n - 1, 0), B2S6_ERROR_TRUNCATED);
    expect("image of four bytes", place(handle, DIGITS_HANDLE_SIZE, digits_model, 4, 0), B2S6_ERROR_MAGIC);
    expect("image of no bytes", place(handle, DIGITS_HANDLE_SIZE, digits_model, 0, 0), B2S6_ERROR_MAGIC);
    expect("no image", place(handle, DIGITS_HANDLE_SIZE, NULL, n, 0), B2S6_ERROR_ARGUMENT);
    expect("image of a mamba model", place(handle, DIGITS_HANDLE_SIZE, mamba_model, size_of(mamba_model), 0), for_mamba);
    expect("image of a q8 model", place(handle, DIGITS_HANDLE_SIZE, small_q8_model, size_of(small_q8_model), 0), for_q8);
}

/* A small model that fits into the state's memory, for a copy that can be damaged. */
typedef char copy_fits[sizeof small_model <= DIGITS_STATE_SIZE && SMALL_HANDLE_SIZE <= DIGITS_HANDLE_SIZE ? 1 : -1];

/* One bit turned round, in one place after another of the whole copy: never opened. */
static void damaged_images(unsigned char *handle, unsigned char *copy)
{
    const size_t n = sizeof small_model;
    b2s6_status status;
    size_t i;

    for (i = 0; i < n; i++)
        copy[i] = small_model[i];
    expect("copy of an image", place(handle, DIGITS_HANDLE_SIZE, copy, n, B2S6_OPEN_VERIFY), B2S6_OK);
    for (i = 0; i < n; i += 61) {
        copy[i] ^= (unsigned char)(1 << i % 8);
        status = place(handle, DIGITS_HANDLE_SIZE, copy, n, B2S6_OPEN_VERIFY);
        copy[i] ^= (unsigned char)(1 << i % 8);
        if (status < B2S6_ERROR_MAGIC || status > B2S6_ERROR_CHECKSUM)
            expect("damaged image", status, B2S6_ERROR_CHECKSUM);
    }
    expect("copy put right", place(handle, DIGITS_HANDLE_SIZE, copy, n, B2S6_OPEN_VERIFY), B2S6_OK);
}

static void bad_memory(unsigned char *handle, unsigned char *memory)
{
    const size_t n = sizeof digits_model;
    b2s6_model *model;
    b2s6_state *state;

    expect("handle one byte short", place(handle, DIGITS_HANDLE_SIZE - 1, digits_model, n, 0), B2S6_ERROR_SIZE);
    expect("handle one byte off", place(handle + 1, DIGITS_HANDLE_SIZE, digits_model, n, 0), B2S6_ERROR_ALIGNMENT);
    expect("handle four bytes off", place(handle + 4, DIGITS_HANDLE_SIZE, digits_model, n, 0), B2S6_ERROR_ALIGNMENT);
    expect("no handle", place(NULL, DIGITS_HANDLE_SIZE, digits_model, n, 0), B2S6_ERROR_ARGUMENT);
    expect("handle from an allocator that is not there", b2s6_model_open_memory(&model, digits_model, n, NULL, NULL),
           B2S6_ERROR_MEMORY);
    expect("handle of the right size", b2s6_model_place(&model, handle, DIGITS_HANDLE_SIZE, digits_model, n, NULL, NULL), B2S6_OK);
    expect("state one byte short", b2s6_state_place(&state, model, memory, DIGITS_STATE_SIZE - 1), B2S6_ERROR_SIZE);
    expect("state one byte off", b2s6_state_place(&state, model, memory + 1, DIGITS_STATE_SIZE), B2S6_ERROR_ALIGNMENT);
    expect("state four bytes off", b2s6_state_place(&state, model, memory + 4, DIGITS_STATE_SIZE), B2S6_ERROR_ALIGNMENT);
    expect("no state", b2s6_state_place(&state, model, NULL, DIGITS_STATE_SIZE), B2S6_ERROR_ARGUMENT);
    expect("state of no model", b2s6_state_place(&state, NULL, memory, DIGITS_STATE_SIZE), B2S6_ERROR_ARGUMENT);
    expect("state from an allocator that is not there", b2s6_state_create(&state, model, NULL), B2S6_ERROR_MEMORY);
}

static void bad_calls(unsigned char *handle, unsigned char *memory)
{
    union {
        uint32_t u;
        float f;
    } nan = { 0x7fc00000u };
    float out[DIGITS_OUTPUT_SIZE];
    b2s6_model *model;
    b2s6_state *state;

    expect("handle again", b2s6_model_place(&model, handle, DIGITS_HANDLE_SIZE, digits_model, sizeof digits_model, NULL, NULL), B2S6_OK);
    expect("state of the right size", b2s6_state_place(&state, model, memory, DIGITS_STATE_SIZE), B2S6_OK);
    expect("a token", b2s6_step_token(state, 1, out, DIGITS_OUTPUT_SIZE), B2S6_ERROR_INPUT_KIND);
    expect("not a number", b2s6_step_features(state, &nan.f, 1, out, DIGITS_OUTPUT_SIZE), B2S6_ERROR_VALUE);
    expect("no features", b2s6_step_features(state, NULL, 1, out, DIGITS_OUTPUT_SIZE), B2S6_ERROR_ARGUMENT);
    expect("no state", b2s6_step_features(NULL, &nan.f, 1, out, DIGITS_OUTPUT_SIZE), B2S6_ERROR_ARGUMENT);
}

static void bad_arithmetic(void)
{
    b2s6_status status;

    if (!board_spoil_arithmetic(1))
        return; /* its floats are the compiler's own */
    status = b2s6_self_test();
    board_spoil_arithmetic(0);
    expect("self test in spoilt arithmetic", status, B2S6_ERROR_ARITHMETIC);
    expect("self test in arithmetic put right", b2s6_self_test(), B2S6_OK);
}

int refusals(unsigned char *handle, unsigned char *state)
{
    bad_arithmetic();
    bad_images(handle);
    damaged_images(handle, state);
    bad_memory(handle, state);
    bad_calls(handle, state);
    return n_wrong != 0;
}
