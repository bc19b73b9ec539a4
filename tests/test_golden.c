/*
 * test_golden.c - stored files give the stored bits on every instruction set of this machine
 *
 * The other tests compare our ways with each other, and would not notice if all of them changed.
 */
#include <stdlib.h>

#include "golden.h"
#include "suites.h"
#include "test.h"

static void check_all(const char *isa)
{
    size_t n;
    golden *list = golden_list(&n);
    CHECK(n >= 100);
    for (size_t i = 0; i < n; i++) {
        const golden g = golden_measure(list[i].name, isa);
        CHECK_EQUAL_U64(list[i].rows, g.rows);
        CHECK_EQUAL_U64(list[i].hidden, g.hidden);
    }
    free(list);
}

static void test_stored_bits_on_every_isa(void)
{
    check_all(NULL);
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (b2s6_isa_is_available(k))
            check_all(b2s6_isa_name(k));
}

static const test tests[] = { TEST(test_stored_bits_on_every_isa) };
const test_suite suite_golden = TEST_SUITE("golden", tests);
