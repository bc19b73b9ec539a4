/*
 * golden_main.c - the golden files alone, for machines where the whole of the tests would take too long
 *
 *     golden [--tests FOLDER] [--isa NAME]     compares all of golden.txt
 *     golden [--tests FOLDER] --add NAME ...   writes snapshots of new files, and prints their lines of golden.txt
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "test.h"

static const char *isa;
static char **added;

static void test_golden(void)
{
    size_t n;
    golden *list = golden_list(&n);
    CHECK(n >= 100);
    for (size_t i = 0; i < n; i++) {
        const golden g = golden_measure(list[i].name, isa);
        CHECK_EQUAL_U64(list[i].rows, g.rows);
        CHECK_EQUAL_U64(list[i].hidden, g.hidden);
    }
    test_note("golden: %zu files", n);
    free(list);
}

static void test_add(void)
{
    for (char **name = added; *name != NULL; name++) {
        golden_write_snapshot(*name);
        const golden g = golden_measure(*name, NULL);
        printf("%s %016" PRIx64 " %016" PRIx64 "\n", g.name, g.rows, g.hidden);
    }
}

int main(int argc, char **argv)
{
    static const test check[] = { TEST(test_golden) }, add[] = { TEST(test_add) };
    static const test_suite checking = TEST_SUITE("golden", check), adding = TEST_SUITE("golden", add);
    const test_suite *suites[] = { &checking };
#ifdef TESTS_DIR
    tests_folder = TESTS_DIR;
#endif
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--add") == 0) {
            added = argv + i + 1;
            suites[0] = &adding;
            break;
        }
        if (i + 1 < argc && strcmp(argv[i], "--tests") == 0) {
            tests_folder = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--isa") == 0) {
            isa = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--tests FOLDER] [--isa NAME] | [--tests FOLDER] --add NAME ...\n", argv[0]);
            return 2;
        }
    }
    return test_run(suites, 1, NULL);
}
