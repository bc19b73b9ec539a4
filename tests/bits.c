/*
 * bits.c - one number over the outputs of a model on every instruction set, with nothing but b2s6.h and the C library: for
 * compilers that the tests' own programs do not build with (tests/builds.sh)
 *
 *     bits MODEL.b2s6 ...
 *
 * Prints the digest of each model of features; it fails if instruction sets differ, or if the library's own test does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../b2s6.h"

enum { STEPS = 200, MAX_WIDTH = 64 };

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "bits: %s: %s\n", what, why);
    return 0;
}

/* FNV-1a, 64 bits, of the values' bits, whatever the order of bytes. */
static uint64_t hash_floats(uint64_t hash, const float *values, size_t n)
{
    size_t i;
    int k;
    for (i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, 4);
        for (k = 0; k < 4; k++)
            hash = (hash ^ (bits >> (8 * k) & 255)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static int digest_of(const char *path, const char *isa, uint64_t *digest)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model_info info;
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    float features[MAX_WIDTH], *out;
    uint32_t x = 1, i;
    int t, ok = 1;
    options.isa = isa;
    info.struct_size = sizeof info;
    if (b2s6_model_open_file(&model, path, &options, &error) != B2S6_OK)
        return fail(path, error.message);
    if (b2s6_model_describe(model, &info) != B2S6_OK || info.input_kind != B2S6_FEATURES || info.input_size > MAX_WIDTH)
        return fail(path, "not a model of at most 64 features");
    out = (float *)malloc(info.output_size * sizeof *out);
    if (!out || b2s6_state_create(&state, model, NULL) != B2S6_OK)
        return fail(path, "out of memory");
    *digest = UINT64_C(0xcbf29ce484222325);
    for (t = 0; t < STEPS && ok; t++) {
        for (i = 0; i < info.input_size; i++) {
            x = x * 1664525u + 1013904223u;
            features[i] = (float)(x >> 8) * (1.0f / 16777216);
        }
        ok = b2s6_step_features(state, features, info.input_size, out, info.output_size) == B2S6_OK;
        *digest = hash_floats(*digest, out, info.output_size);
    }
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    free(out);
    return ok ? 1 : fail(path, "a step failed");
}

int main(int argc, char **argv)
{
    int i;
    size_t k;
    if (b2s6_self_test() != B2S6_OK)
        return fail("b2s6_self_test", "this build does not compute as it must"), EXIT_FAILURE;
    for (i = 1; i < argc; i++) {
        uint64_t first = 0, digest;
        for (k = 0; b2s6_isa_name(k) != NULL; k++) {
            if (!b2s6_isa_is_available(k))
                continue;
            if (!digest_of(argv[i], b2s6_isa_name(k), &digest))
                return EXIT_FAILURE;
            if (k > 0 && digest != first)
                return fail(b2s6_isa_name(k), "other bits than portable"), EXIT_FAILURE;
            first = digest;
        }
        printf("%08lx%08lx\n", (unsigned long)(first >> 32), (unsigned long)(first & 0xffffffffu));
    }
    return EXIT_SUCCESS;
}
