/*
 * work.c - how much longer a file can make the library work: the slowest weights beside ordinary ones, the largest metadata
 *
 *     work MODEL.b2s6                           a table: nanoseconds a step for each kind of weights on each instruction set
 *     work MODEL.b2s6 ISA WEIGHTS STEPS         so many steps and nothing else, for a counter of instructions (work.sh)
 *     work MODEL.b2s6 metadata LOOKUPS          so many look-ups of the last key of the largest metadata that a file can have
 *
 * The weights of MODEL.b2s6 are replaced; all but A's, of which only the angles are, since its real parts must be negative.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"
#include "model_file.h"
#include "random.h"
#include "subjects.h"
#include "test.h"

enum { AT_ENTRY_ROLE = 0, AT_ENTRY_TYPE = 12, AT_ENTRY_OFFSET = 32, AT_ENTRY_BYTES = 40, REPEATS = 15, STEPS = 300 };

static const char *const kinds[] = { "ordinary", "angles", "subnormal", "tiny", "small", "one-bit", "huge", "any" };
enum { ORDINARY, ANGLES, SUBNORMAL, TINY, SMALL, ONE_BIT, HUGE_ONES, ANY, N_KINDS };

static char folder[1024], *name;

static uint32_t weight_bits(int kind, uint32_t old, random_source *random)
{
    const uint32_t r = (uint32_t)random_u64(random), sign = r & 0x80000000u;
    switch (kind) {
    case SUBNORMAL: return sign | (r & 0x7fffff);                              /* below 2^-126 */
    case TINY: return sign | (r & 0x7fffff) | (60 + (r >> 23 & 1)) << 23;      /* 2^-66: the square is subnormal */
    case SMALL: return sign | (r & 0x7fffff) | (1 + (r >> 23 & 31)) << 23;     /* the smallest normal numbers */
    case ONE_BIT: return sign | (119 + (r & 7)) << 23;                         /* sums that are half way between floats */
    case HUGE_ONES: return sign | (r & 0x7fffff) | 0x7e000000u;                /* infinities and what is not a number */
    case ANY: return (r & 0x7f800000u) == 0x7f800000u ? r ^ 0x40000000u : r;
    default: return old;
    }
}

/* The model file with other weights, from malloc. */
static unsigned char *altered(int kind, size_t *size)
{
    random_source random = { 3 };
    unsigned char *file = read_file(folder, name, size);
    if (file == NULL)
        FAIL("the model file cannot be read");
    for (uint32_t t = 0; t < (uint32_t)get_le(file + AT_N_TENSORS, 4); t++) {
        const unsigned char *entry = file + file_entry(file, t);
        unsigned char *data = file + get_le(entry + AT_ENTRY_OFFSET, 8);
        const size_t n = (size_t)get_le(entry + AT_ENTRY_BYTES, 8) / 4;
        const int is_a = (get_le(entry + AT_ENTRY_ROLE, 2) & 31) == (ROLE_A & 31);
        if (get_le(entry + AT_ENTRY_TYPE, 2) != TYPE_F32)
            continue;
        for (size_t i = 0; i < n; i++)
            if (is_a && kind == ANGLES && i % 3 == 1)
                put_le(data + 4 * i, 0x4e000000u | (uint32_t)random_below(&random, 0x7fffff), 4); /* 5e8 half turns and more */
            else if (!is_a)
                put_le(data + 4 * i, weight_bits(kind, (uint32_t)get_le(data + 4 * i, 4), &random), 4);
    }
    file_seal(file, *size);
    return file;
}

static b2s6_model *open_with(const unsigned char *file, size_t size, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    options.isa = isa;
    options.flags = B2S6_OPEN_TRUST;
    CHECK_OK(b2s6_model_open_memory(&model, file, size, &options, NULL));
    return model;
}

static void take_steps(b2s6_state *state, const b2s6_model_info *info, long n, random_source *random, float *out)
{
    float features[64];
    CHECK(info->input_kind == B2S6_FEATURES && info->input_size <= 64);
    for (long k = 0; k < n; k++) {
        for (uint32_t i = 0; i < info->input_size; i++)
            features[i] = random_normal(random);
        CHECK_OK(b2s6_step_features(state, features, info->input_size, out, info->output_size));
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds a step: the least of REPEATS blocks of STEPS. Or so many steps once, 0 then. */
static double steps_of(const char *isa, int kind, long n)
{
    size_t size;
    unsigned char *file = altered(kind, &size), *memory = (unsigned char *)aligned_memory(size);
    b2s6_model_info info = { .struct_size = sizeof info };
    random_source random = { 5 };
    double least = 0;
    b2s6_model *model;
    b2s6_state *state;
    float *out;
    memcpy(memory, file, size);
    model = open_with(memory, size, isa);
    CHECK_OK(b2s6_model_describe(model, &info));
    CHECK_OK(b2s6_state_create(&state, model, NULL));
    out = (float *)malloc(info.output_size * sizeof *out);
    CHECK(out != NULL);
    if (n > 0)
        take_steps(state, &info, n, &random, out);
    for (int i = 0; n == 0 && i < REPEATS; i++) {
        const double begin = now();
        double taken;
        take_steps(state, &info, STEPS, &random, out);
        taken = (now() - begin) / STEPS;
        least = least == 0 || taken < least ? taken : least;
    }
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    free(out);
    free(memory);
    free(file);
    return least;
}

/* 1,024 pairs in 262,144 bytes; the last key is "k1023". */
static void look_up(long n)
{
    enum { PAIRS = 1024, BYTES = 262144 };
    static char strings[BYTES];
    size_t size, at = 0;
    unsigned char *file = read_file(folder, name, &size), *largest;
    file_parts parts;
    b2s6_model *model;
    CHECK(file != NULL);
    for (int i = 0; i < PAIRS; i++) { /* key and value, each with its end, in 256 bytes */
        at += (size_t)sprintf(strings + at, "k%04d", i) + 1;
        memset(strings + at, 'v', 256 - 7);
        at += 256 - 6;
    }
    file_take_apart(&parts, file);
    file_set_metadata(&parts, PAIRS, strings, BYTES);
    largest = file_build(&parts, &size);
    model = open_with(largest, size, "portable");
    for (long k = 0; k < n; k++)
        CHECK(b2s6_model_metadata(model, "k1023") != NULL);
    b2s6_model_close(model);
    free(largest);
    file_free(&parts);
    free(file);
}

static void print_table(void)
{
    printf("%-12s", "");
    for (int kind = 0; kind < N_KINDS; kind++)
        printf(" %10s", kinds[kind]);
    printf("  slowest to ordinary\n");
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++) {
        double ordinary = 0, most = 0;
        if (!b2s6_isa_is_available(k))
            continue;
        printf("%-12s", b2s6_isa_name(k));
        for (int kind = 0; kind < N_KINDS; kind++) {
            const double taken = steps_of(b2s6_isa_name(k), kind, 0);
            ordinary = kind == ORDINARY ? taken : ordinary;
            most = taken > most ? taken : most;
            printf(" %10.0f", taken);
            fflush(stdout);
        }
        printf("  %.2f\n", most / ordinary);
    }
}

static const char *isa, *weights, *count;

static void test_work(void)
{
    int kind = 0;
    if (isa == NULL) {
        print_table();
        return;
    }
    if (weights == NULL) {
        look_up(atol(count));
        return;
    }
    while (kind < N_KINDS && strcmp(kinds[kind], weights) != 0)
        kind++;
    CHECK(kind < N_KINDS);
    steps_of(isa, kind, atol(count));
}

static const test tests[] = { TEST(test_work) };
static const test_suite suite = TEST_SUITE("work", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    if (argc != 2 && argc != 4 && argc != 5) {
        fprintf(stderr, "usage: %s MODEL.b2s6 [ISA WEIGHTS STEPS | metadata LOOKUPS]\n", argv[0]);
        return 2;
    }
    snprintf(folder, sizeof folder, "%s", argv[1]);
    name = strrchr(folder, '/');
    if (name == NULL) {
        name = argv[1];
        strcpy(folder, ".");
    } else {
        *name++ = 0;
    }
    isa = argc > 2 ? argv[2] : NULL;
    weights = argc == 5 ? argv[3] : NULL;
    count = argc > 3 ? argv[argc - 1] : NULL;
    return test_run(suites, 1, NULL);
}
