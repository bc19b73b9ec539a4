/*
 * test_same_file.c - one compressed file, one content, one score: on every instruction set, number of threads and size of run
 */
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/compress/context_memory.h"
#include "../examples/cli/compress/range_coder.h"
#include "../examples/cli/support/checksum.h"
#include "../examples/cli/support/thread_pool.h"
#include "../examples/cli/text/byte_model.h"
#include "../examples/cli/text/prediction.h"
#include "../examples/cli/text/score.h"
#include "bytes.h"
#include "suites.h"

/* What every way must give. */
typedef struct known {
    blob text, small;
    double bits;      /* of the text in one stream */
    double cold_bits; /* of its pieces of PIECE bytes */
} known;

enum { PIECE = 70 };

static double bits_of(const b2s6_model *model, blob text, size_t piece, size_t run, const b2s6_parallel *parallel)
{
    FILE *file = file_of(text.bytes, text.size);
    const score s = scored(model, file, piece, run, parallel);
    CHECK_EQUAL_U64(text.size, s.n_bytes);
    fclose(file);
    return s.bits;
}

static void check_equal(blob expected, blob b)
{
    CHECK_EQUAL_SIZE(expected.size, b.size);
    CHECK_BYTES(expected.bytes, b.bytes, b.size);
    free(b.bytes);
}

/* The sum of surprises is in the order of the bytes, whatever the way: equal to the last bit, too. */
static void check_way(const known *k, const b2s6_model *model, size_t run, const b2s6_parallel *parallel)
{
    check_equal(k->small, compressed(model, k->text.bytes, k->text.size, run, parallel));
    CHECK(k->bits == bits_of(model, k->text, 0, run, parallel));
    CHECK(k->cold_bits == bits_of(model, k->text, PIECE, run, parallel));
}

/* A parallel-for on no threads at all: the tasks one after another, the last first. */
static void run_backwards(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    (void)user;
    while (n_tasks > 0)
        task(context, --n_tasks);
}

/* One instruction set: every size of run, every cut for threads. */
static void check_cuts(const known *k, const b2s6_model *model, const char *isa)
{
    static const size_t runs[] = { 1, 2, 7, 64, 256, 1000 }, tasks[] = { 1, 2, 3, 5, 256 };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        test_context("%s, runs of %zu", isa, runs[i]);
        check_way(k, model, runs[i], NULL);
    }
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        const b2s6_parallel parallel = { NULL, tasks[i], 1, run_backwards };
        test_context("%s, %zu tasks", isa, tasks[i]);
        check_way(k, model, runs[i], &parallel);
        check_equal(k->text, decompressed(model, k->small.bytes, k->small.size, &parallel));
    }
    check_equal(k->text, decompressed(model, k->small.bytes, k->small.size, NULL));
}

/* On real threads. Few bytes: where there are fewer processors than threads, each of the many hand-overs takes long. */
static void check_threads(const known *k, const b2s6_model *model, const char *isa)
{
    for (size_t n = 1; n <= 3; n++) {
        thread_pool *pool = thread_pool_create(n);
        const b2s6_parallel *parallel = thread_pool_parallel(pool);
        CHECK(pool != NULL);
        test_context("%s, %zu threads", isa, n);
        check_way(k, model, 50, parallel);
        check_equal(k->text, decompressed(model, k->small.bytes, k->small.size, parallel));
        thread_pool_destroy(pool);
    }
}

static void know(known *k, const b2s6_model *model, size_t n)
{
    k->text = drawn_from(model, n, 4);
    k->small = compressed(model, k->text.bytes, n, BYTE_RUN, NULL);
    k->bits = bits_of(model, k->text, 0, BYTE_RUN, NULL);
    k->cold_bits = bits_of(model, k->text, PIECE, BYTE_RUN, NULL);
    CHECK(k->cold_bits != k->bits);
}

static void forget(known *k)
{
    free(k->text.bytes);
    free(k->small.bytes);
}

static void test_every_way(void)
{
    opened_model opened;
    known some, few;
    open_byte_model(&opened, 4);
    know(&some, opened.model, 2000);
    know(&few, opened.model, 100);
    for (size_t i = 0; b2s6_isa_name(i) != NULL; i++) {
        b2s6_model *model;
        if (!b2s6_isa_is_available(i)) {
            test_note("%s cannot run here", b2s6_isa_name(i));
            continue;
        }
        model = open_capped(&opened, b2s6_isa_name(i));
        check_cuts(&some, model, b2s6_isa_name(i));
        check_threads(&few, model, b2s6_isa_name(i));
        b2s6_model_close(model);
    }
    forget(&some);
    forget(&few);
    close_model(&opened);
}

static void put(void *to, unsigned char byte)
{
    blob *b = (blob *)to;
    b->bytes[b->size++] = byte;
}

/*
 * The coded bytes themselves, for scores that no model had a part in: the same on every machine. A change here is a change
 * of the format, and needs a new version of it.
 */
static void test_pinned(void)
{
    unsigned char bytes[9000]; /* something to be foretold, something not, and what has been there before, altered */
    float row[BYTE_VALUES];
    uint32_t weights[BYTE_VALUES], frequencies[BYTE_VALUES], flat = FLAT_MIN, below;
    random_source random = { 21 }, content = { 6 };
    context_memory *memory = context_memory_create();
    blob coded = { (unsigned char *)malloc(2 * sizeof bytes), 0 };
    range_encoder encoder;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(random_u64(&content) >> 56);
    for (size_t i = 0; i < 3000; i++)
        bytes[i] = (unsigned char)(bytes[i] % 8 * (bytes[i] % 3));
    memcpy(bytes + 6000, bytes + 1500, 3000);
    for (size_t i = 6000; i < 9000; i += i / 100)
        bytes[i]++;
    range_encoder_start(&encoder, put, &coded);
    for (size_t i = 0; i < sizeof bytes; i++) {
        uint32_t by_model;
        for (int k = 0; k < BYTE_VALUES; k++)
            row[k] = random_uniform(&random) + (k < 15 ? 4.0f : 0.0f);
        weights_of_scores(row, SCALE_ONE, weights);
        frequencies_of_weights(weights, flat, frequencies);
        by_model = frequencies[bytes[i]];
        context_memory_mix(memory, frequencies);
        below = 0;
        for (int k = 0; k < bytes[i]; k++)
            below += frequencies[k];
        range_encode(&encoder, below, frequencies[bytes[i]]);
        flat = flat_after(flat, by_model);
        context_memory_take(memory, bytes[i]);
    }
    range_encoder_finish(&encoder);
    CHECK_EQUAL_SIZE(4508, coded.size);
    CHECK_EQUAL_U64(2288200557u, checksum(0, coded.bytes, coded.size));
    context_memory_destroy(memory);
    free(coded.bytes);
}

static const test tests[] = { TEST(test_every_way), TEST(test_pinned) };
const test_suite suite_same_file = TEST_SUITE("same_file", tests);
