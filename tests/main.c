/*
 * main.c - all tests
 *
 *     check [--tests FOLDER] [FILTER]     FOLDER is this one (default: TESTS_DIR), FILTER part of "suite.test"
 */
#include <stdio.h>
#include <string.h>

#include "subjects.h"
#include "suites.h"

#ifndef TESTS_DIR
#define TESTS_DIR "tests"
#endif

static const test_suite *const suites[] = {
    &suite_cases, &suite_random, &suite_bits, &suite_golden, &suite_isa, &suite_threads, &suite_properties, &suite_describe, &suite_calls,
    &suite_batch, &suite_parallel, &suite_pool, &suite_snapshot, &suite_snapshot_damage,
    &suite_options, &suite_files, &suite_structure, &suite_table, &suite_weights, &suite_memory, &suite_workspace, &suite_flush,
    &suite_coding, &suite_compress, &suite_same_file, &suite_damage, &suite_score, &suite_json,
    &suite_convert, &suite_convert_types, &suite_digits, &suite_self_test, &suite_types, &suite_sample, &suite_tokenizer, &suite_speech,
    &suite_pickle, &suite_containers, &suite_mamba2, &suite_stack, &suite_slow_modes,
};

int main(int argc, char **argv)
{
    const char *filter = NULL;
    tests_folder = TESTS_DIR;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--tests") == 0 && i + 1 < argc)
            tests_folder = argv[++i];
        else if (argv[i][0] != '-' && filter == NULL)
            filter = argv[i];
        else {
            fprintf(stderr, "usage: %s [--tests FOLDER] [FILTER]\n", argv[0]);
            return 2;
        }
    return test_run(suites, sizeof suites / sizeof suites[0], filter);
}
