/* test_workspace.c - a workspace of any size is enough for a causal model, and what lies behind it is not touched */
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "subjects.h"
#include "suites.h"

enum { N_RANDOM = 24, MARGIN = 4096, LINE = B2S6_ALIGNMENT };

/* A run with this many bytes, right before memory that faults, gives the rows that it gives without any. */
static void check_size(const subject *s, size_t size, const float *rows, size_t count, float *out)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    b2s6_state *state;
    guard g;
    guard_make(&g, size + MARGIN);
    options.workspace = guard_room(&g, size);
    options.workspace_size = size;
    test_context("%s, workspace of %zu bytes", s->name, size);
    CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
    CHECK_OK(run_input(state, &s->input, 0, s->input.n_steps, out, &options));
    CHECK_BITS(rows, out, count);
    CHECK_EQUAL_SIZE(0, guard_touched(&g));
    b2s6_state_destroy(state);
    guard_free(&g);
}

static void check_sizes(subject *s)
{
    const size_t count = s->input.n_steps * s->opened.info.output_size;
    float *rows = (float *)malloc((count + 1) * sizeof *rows), *out = (float *)malloc((count + 1) * sizeof *out);
    CHECK(rows != NULL && out != NULL);
    if (!s->opened.info.bidirectional) {
        run_whole(&s->opened, &s->input, 0, rows);
        for (size_t n = 1; n <= s->input.n_steps; n = n * 2 + 1) {
            const size_t size = b2s6_workspace_size(s->opened.model, n);
            CHECK_EQUAL_SIZE(0, size % LINE);
            check_size(s, size - LINE, rows, count, out);
            check_size(s, size, rows, count, out);
            check_size(s, size + LINE, rows, count, out);
        }
    }
    free(rows);
    free(out);
}

static void test_any_size(void)
{
    for_each_subject(N_RANDOM, 20, check_sizes);
}

static const test tests[] = { TEST(test_any_size) };
const test_suite suite_workspace = TEST_SUITE("workspace", tests);
