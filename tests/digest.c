/*
 * digest.c - one number over the outputs of the stored cases and of 200 random models, to compare builds and machines; and
 * another one over those of the family, which came later
 *
 *     digest [--tests FOLDER] [--isa NAME] [--write FOLDER | --read FOLDER] [--expect DIGEST] [--list]
 *
 * --write   also writes the model files, NAME.b2s6 each, and a snapshot of a stream in its middle, NAME.snapshot
 * --read    takes the model files from there instead of converting them: the converter rounds values of the C library's
 *           exp and log, which differ between C libraries in rare last digits; and goes on from those snapshots
 * --list    a line for each model
 *
 * The rows are those of one run. Steps, chunks, batches, snapshots and threads must give the same ones, or it fails (ways.h).
 *
 * Prints "models" and "digest", 16 hexadecimal digits each, and "family models" and "family digest": over the bytes of the
 * model files, and over the bits of all output rows. Where the models agree, the digests must, whatever the compiler, its
 * options and the machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "hash.h"
#include "subjects.h"
#include "test.h"
#include "ways.h"

enum { N_RANDOM = 200, N_FAMILY = 100 };

static const char *isa, *write_folder, *read_folder, *expected;
static int list;

static unsigned char *model_bytes(size_t i, size_t *size)
{
    static const char *const types[] = { "f32", "f16", "q8", "q4" };
    char name[80];
    unsigned char *bytes;
    subject_name(name, sizeof name - 5, i);
    strcat(name, ".b2s6");
    test_context("%s", name);
    subject_type = types[i < n_cases ? 0 : i % 4]; /* the random models take turns */
    bytes = read_folder ? read_file(read_folder, name, size) : subject_file(i, size);
    if (bytes == NULL)
        FAIL("the model file cannot be read");
    if (write_folder && !write_file(write_folder, name, bytes, *size))
        FAIL("the model file cannot be written");
    return bytes;
}

/* The subject's model once more, for the instruction set that was asked for. */
static void choose_isa(subject *s)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    if (isa == NULL)
        return;
    b2s6_model_close(s->opened.model);
    options.isa = isa;
    CHECK_OK(b2s6_model_open_memory(&s->opened.model, s->opened.bytes, s->opened.size, &options, NULL));
}

/* All ways to the rows of one run, on 1 + i mod 4 threads. */
static void check_rows(const subject *s, size_t i)
{
    char name[80];
    size_t size, received_size = 0;
    unsigned char *snapshot, *received = NULL;
    float *rows = (float *)calloc(whole_rows(&s->opened, s->input.n_steps) * whole_width(&s->opened, 0), sizeof *rows);
    CHECK(rows != NULL);
    run_whole(&s->opened, &s->input, 0, rows);
    snprintf(name, sizeof name, "%s.snapshot", s->name);
    if (read_folder && !s->opened.info.bidirectional) {
        received = read_file(read_folder, name, &received_size);
        if (received == NULL)
            FAIL("the snapshot cannot be read");
    }
    check_ways(s, 1 + i % 4, rows);
    snapshot = check_journey(s, rows, received, received_size, &size);
    if (write_folder && snapshot && !write_file(write_folder, name, snapshot, size))
        FAIL("the snapshot cannot be written");
    free(snapshot);
    free(received);
    free(rows);
}

/* Output rows and the rows before the head. */
static uint64_t hash_outputs(uint64_t hash, const subject *s)
{
    static const uint32_t flags[] = { 0, B2S6_RUN_HIDDEN };
    for (int i = 0; i < 2; i++) {
        size_t count = whole_rows(&s->opened, s->input.n_steps) * whole_width(&s->opened, flags[i]);
        float *out = (float *)calloc(count, sizeof *out);
        CHECK(out != NULL);
        run_whole(&s->opened, &s->input, flags[i], out);
        hash = hash_floats(hash, out, count);
        free(out);
    }
    return hash;
}

/* Subjects first .. first + n - 1; what is what they are called. Returns the digest of their outputs. */
static uint64_t digest_of(const char *what, size_t first, size_t n)
{
    uint64_t models = hash_begin, digest = hash_begin;
    for (size_t i = first; i < first + n; i++) {
        subject s;
        size_t size;
        unsigned char *bytes = model_bytes(i, &size);
        models = hash_bytes(models, bytes, size);
        subject_make_from(&s, i, bytes, size);
        choose_isa(&s);
        check_rows(&s, i);
        digest = hash_outputs(digest, &s);
        if (list)
            printf("%-28s models %016" PRIx64 " digest %016" PRIx64 "\n", s.name, hash_bytes(hash_begin, bytes, size),
                   hash_outputs(hash_begin, &s));
        free(bytes);
        subject_free(&s);
    }
    printf("%smodels %016" PRIx64 "\n%sdigest %016" PRIx64 "\n", what, models, what, digest);
    return digest;
}

static void test_digest(void)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, digest_of("", 0, n_cases + N_RANDOM));
    digest_of("family ", FAMILY, n_family_cases + N_FAMILY);
    test_context("the digest that was expected");
    if (expected != NULL)
        CHECK_STRING(expected, text);
}

static const test tests[] = { TEST(test_digest) };
static const test_suite suite = TEST_SUITE("digest", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    const struct { const char *name; const char **value; } options[] = {
        { "--tests", &tests_folder }, { "--isa", &isa }, { "--write", &write_folder }, { "--read", &read_folder },
        { "--expect", &expected },
    };
#ifdef TESTS_DIR
    tests_folder = TESTS_DIR;
#endif
    for (int i = 1; i < argc; i++) {
        size_t k = 0, n = sizeof options / sizeof options[0];
        while (k < n && strcmp(argv[i], options[k].name) != 0)
            k++;
        if (k < n && i + 1 < argc) {
            *options[k].value = argv[++i];
        } else if (strcmp(argv[i], "--list") == 0) {
            list = 1;
        } else {
            fprintf(stderr, "usage: %s [--tests FOLDER] [--isa NAME] [--write FOLDER | --read FOLDER] [--expect DIGEST] "
                            "[--list]\n", argv[0]);
            return 2;
        }
    }
    return test_run(suites, 1, NULL);
}
