/* test_digits.c - the shipped digits model on its test images: as good as promised, and the answers that PyTorch gives */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "subjects.h"
#include "test.h"

enum { HEADER = 28, PIXELS = 64, CLASSES = 10 };

static size_t best(const float *scores)
{
    size_t top = 0;
    for (size_t i = 1; i < CLASSES; i++)
        if (scores[i] > scores[top])
            top = i;
    return top;
}

/* One image through a stream of its own, pixel by pixel; the scores after the last. */
static void read_digit(b2s6_state *state, const unsigned char *pixels, float *scores)
{
    CHECK_OK(b2s6_state_reset(state));
    for (size_t i = 0; i < PIXELS; i++) {
        float feature = (float)pixels[i] / 16.0f;
        CHECK_OK(b2s6_step_features(state, &feature, 1, scores, 10));
    }
}

static void test_digits(void)
{
    size_t size, model_size, right = 0;
    unsigned char *images = read_file(tests_folder, "../examples/models/digits-test.bin", &size);
    unsigned char *bytes = read_file(tests_folder, "../examples/models/digits.b2s6", &model_size);
    opened_model opened;
    b2s6_state *state;
    double worst = 0, largest = 0;
    npy pytorch; /* (images, CLASSES): what PyTorch's float32 gives after the last pixel */
    if (!images || !bytes || !read_npy(&pytorch, tests_folder, "digits/pytorch_logits.npy"))
        FAIL("the digits cannot be read");
    size_t n = pytorch.rows;
    CHECK(pytorch.type == 'f' && pytorch.cols == CLASSES && memcmp(images, "B2S6DIGT", 8) == 0);
    CHECK_EQUAL_SIZE(HEADER + n * (PIXELS + 1), size);
    open_bytes(&opened, bytes, model_size);
    CHECK(layer_of(&opened, 0).complex_state && layer_of(&opened, 0).b_bias && layer_of(&opened, 0).h > 1);
    CHECK(!opened.info.bidirectional);
    CHECK_OK(b2s6_state_create(&state, opened.model, NULL));
    for (size_t i = 0; i < n; i++) {
        const float *expected = (const float *)pytorch.values + i * CLASSES;
        float scores[CLASSES];
        test_context("image %zu", i);
        read_digit(state, images + HEADER + i * PIXELS, scores);
        CHECK_EQUAL_SIZE(best(expected), best(scores));
        right += best(scores) == images[HEADER + n * PIXELS + i];
        for (size_t k = 0; k < CLASSES; k++) {
            double error = expected[k] > scores[k] ? expected[k] - scores[k] : scores[k] - expected[k];
            double magnitude = expected[k] < 0 ? -expected[k] : expected[k];
            worst = error > worst ? error : worst;
            largest = magnitude > largest ? magnitude : largest;
        }
    }
    test_note("digits: %zu of %zu right, largest difference from PyTorch %.1e of the largest score", right, n, worst / largest);
    CHECK(100 * right >= 98 * n);
    CHECK(worst <= 1e-5 * largest);
    b2s6_state_destroy(state);
    close_model(&opened);
    free(images);
    free(bytes);
    free(pytorch.values);
}

/* Right answers of a model file on the test images. */
static size_t count_right(const char *name, const unsigned char *images, size_t n)
{
    opened_model opened;
    b2s6_state *state;
    size_t size, right = 0;
    unsigned char *bytes = read_file(tests_folder, name, &size);
    if (!bytes)
        FAIL("a digits model cannot be read");
    open_bytes(&opened, bytes, size);
    CHECK_OK(b2s6_state_create(&state, opened.model, NULL));
    for (size_t i = 0; i < n; i++) {
        float scores[CLASSES];
        read_digit(state, images + HEADER + i * PIXELS, scores);
        right += best(scores) == images[HEADER + n * PIXELS + i];
    }
    b2s6_state_destroy(state);
    close_model(&opened);
    free(bytes);
    return right;
}

/* The model for firmware: its weights (the data behind the header) take at most 24 KB, and cost at most one image in a hundred. */
static void test_digits_q8(void)
{
    size_t size, model_size;
    unsigned char *images = read_file(tests_folder, "../examples/models/digits-test.bin", &size);
    unsigned char *bytes = read_file(tests_folder, "../examples/models/digits-q8.b2s6", &model_size);
    if (!images || !bytes)
        FAIL("the digits cannot be read");
    size_t n = (size - HEADER) / (PIXELS + 1), header = bytes[12] + ((size_t)bytes[13] << 8);
    size_t f32 = count_right("../examples/models/digits.b2s6", images, n);
    size_t q8 = count_right("../examples/models/digits-q8.b2s6", images, n);
    test_note("digits: %zu right as f32, %zu as q8, whose weights take %zu bytes", f32, q8, model_size - header);
    CHECK(model_size - header <= 24 * 1024);
    CHECK(100 * q8 + n >= 100 * f32);
    free(images);
    free(bytes);
}

static const test tests[] = { TEST(test_digits), TEST(test_digits_q8) };
const test_suite suite_digits = TEST_SUITE("digits", tests);
