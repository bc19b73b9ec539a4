/* suites.h - every test file's suite; main.c runs them in this order */
#ifndef TEST_SUITES_H
#define TEST_SUITES_H

#include "test.h"

extern const test_suite suite_cases, suite_random, suite_bits, suite_golden, suite_isa, suite_threads, suite_properties, suite_describe, suite_calls,
    suite_batch, suite_parallel, suite_pool, suite_snapshot, suite_snapshot_damage,
    suite_options, suite_files, suite_structure, suite_table, suite_weights, suite_memory, suite_workspace, suite_flush;
extern const test_suite suite_coding, suite_compress, suite_same_file, suite_damage, suite_score, suite_json,
    suite_convert, suite_convert_types, suite_digits, suite_self_test, suite_types, suite_sample, suite_tokenizer,
    suite_speech, suite_pickle, suite_containers, suite_mamba2, suite_stack, suite_slow_modes;

#endif
