/*
 * byte_model.c - what check_bytes.sh and cross_bytes.sh work with
 *
 *     byte_model FOLDER     writes one.b2s6 and other.b2s6, small byte models, and text, 3000 bytes drawn from the first
 */
#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "files.h"

static const char *folder;

static void write_files(void)
{
    opened_model one, other;
    blob text;
    open_byte_model(&one, 1);
    open_byte_model(&other, 2);
    text = drawn_from(one.model, 3000, 1);
    CHECK(write_file(folder, "one.b2s6", one.bytes, one.size));
    CHECK(write_file(folder, "other.b2s6", other.bytes, other.size));
    CHECK(write_file(folder, "text", text.bytes, text.size));
    free(text.bytes);
    close_model(&one);
    close_model(&other);
}

static const test tests[] = { TEST(write_files) };
static const test_suite suite = TEST_SUITE("byte_model", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return test_run(suites, 1, NULL);
}
