/* altered.c - a valid model file to alter one thing of */
#include "altered.h"

#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "guard.h"
#include "subjects.h"

void expect_altered_file(const unsigned char *file, size_t size, b2s6_status expected, uint64_t offset)
{
    b2s6_error error;
    guard g;
    guard_make(&g, size);
    CHECK_STATUS(expected, attempt_use(guard_copy(&g, file, size), size, 0, &error));
    if (offset != anywhere)
        CHECK_EQUAL_U64(offset, error.offset);
    guard_free(&g);
}

void expect_altered(const file_parts *parts, b2s6_status expected)
{
    size_t size;
    unsigned char *file = file_build(parts, &size);
    expect_altered_file(file, size, expected, anywhere);
    free(file);
}

unsigned char *altered_base(size_t *size)
{
    random_source random = { 4 };
    trained_model model;
    unsigned char *file;
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 6, 2, 2);
    model.config.unit.a_scope = B2S6_SCOPE_CHANNEL;
    model.config.norm = B2S6_NORM_RMS;
    generate_tensors(&model, &random);
    file = convert_trained(&model, size);
    trained_free(&model);
    return file;
}

void altered_parts(file_parts *parts)
{
    size_t size;
    unsigned char *file = altered_base(&size);
    file_take_apart(parts, file);
    free(file);
}
