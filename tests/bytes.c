/* bytes.c - see bytes.h */
#define _POSIX_C_SOURCE 200809L /* fdopen, pipe */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../examples/cli/compress/compress.h"
#include "../examples/cli/text/byte_model.h"

void byte_config(model_config *config)
{
    plain_config(config, 16, 4, 4);
    config->block = B2S6_BLOCK_MAMBA;
    config->d_inner = 32;
    config->d_conv = 3;
    config->norm = config->final_norm = B2S6_NORM_RMS;
    config->input_size = config->head_size = 256;
    config->head_bias = 0;
}

void open_byte_model(opened_model *opened, uint64_t seed)
{
    random_source random = { seed };
    trained_model model;
    trained_tensor *head;
    memset(&model, 0, sizeof model);
    byte_config(&model.config);
    generate_tensors(&model, &random);
    head = trained_find(&model, "head.", "weight");
    for (size_t i = 0; i < head->count; i++)
        head->values[i] *= 4;
    open_trained(opened, &model);
    trained_free(&model);
}

b2s6_model *open_capped(const opened_model *opened, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model = NULL;
    options.isa = isa;
    CHECK_OK(b2s6_model_open_memory(&model, opened->bytes, opened->size, &options, NULL));
    return model;
}

FILE *file_of(const unsigned char *bytes, size_t size)
{
    FILE *file = tmpfile();
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fseek(file, 0, SEEK_SET) != 0)
        FAIL("no temporary file");
    return file;
}

blob contents_of(FILE *file)
{
    blob b = { NULL, 0 };
    long end = 0;
    if (fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        FAIL("a temporary file cannot be read");
    b.bytes = (unsigned char *)malloc((size_t)end + 1);
    b.size = fread(b.bytes, 1, (size_t)end, file);
    CHECK_EQUAL_SIZE((size_t)end, b.size);
    return b;
}

blob drawn_from(const b2s6_model *model, size_t n, uint64_t seed)
{
    blob b = { (unsigned char *)malloc(n + 1), n };
    float row[BYTE_VALUES];
    uint32_t scratch[BYTE_VALUES];
    byte_stream stream;
    char text[200];
    message m = { text, sizeof text };
    CHECK_EQUAL_INT(0, byte_stream_open(&stream, model, 1, NULL, &m));
    for (size_t i = 0; i < n; i++) {
        int32_t token;
        CHECK_EQUAL_INT(0, byte_stream_next(&stream, row, &m));
        CHECK_OK(b2s6_sample(&token, row, BYTE_VALUES, NULL, &seed, scratch));
        b.bytes[i] = (unsigned char)token;
        byte_stream_take(&stream, b.bytes[i]);
    }
    byte_stream_close(&stream);
    return b;
}

/* ---------------------------------------------------------------------------------------------------------- compressing */

blob compressed(const b2s6_model *model, const unsigned char *bytes, size_t size, size_t run, const b2s6_parallel *parallel)
{
    char text[300] = "";
    message m = { text, sizeof text };
    compress_job j = { 0 };
    blob b;
    int failed;
    j.model = model;
    j.in = file_of(bytes, size);
    j.out = tmpfile();
    j.in_name = "in";
    j.out_name = "out";
    j.run = run;
    j.parallel = parallel;
    CHECK(j.out != NULL);
    failed = compress(&j, &m);
    CHECK_STRING("", text);
    CHECK_EQUAL_INT(0, failed);
    CHECK_EQUAL_U64(size, j.n_in);
    b = contents_of(j.out);
    CHECK_EQUAL_U64(b.size, j.n_out);
    fclose(j.in);
    fclose(j.out);
    return b;
}

/* The reading end of a pipe that holds the bytes: so many fit without a reader. */
static FILE *pipe_of(const unsigned char *bytes, size_t size)
{
    int ends[2];
    FILE *file;
    if (size > 4096 || pipe(ends) != 0 || write(ends[1], bytes, size) != (ssize_t)size || close(ends[1]) != 0)
        FAIL("no pipe");
    file = fdopen(ends[0], "rb");
    CHECK(file != NULL);
    return file;
}

const char *try_decompress(const b2s6_model *model, const unsigned char *bytes, size_t size, int piped,
                           const b2s6_parallel *parallel, blob *out)
{
    static char text[300];
    message m = { text, sizeof text };
    compress_job j = { 0 };
    int failed;
    text[0] = 0;
    j.model = model;
    j.in = piped ? pipe_of(bytes, size) : file_of(bytes, size);
    j.parallel = parallel;
    j.out = tmpfile();
    j.in_name = "in";
    j.out_name = "out";
    CHECK(j.out != NULL);
    failed = decompress(&j, &m);
    CHECK_EQUAL_INT(text[0] != 0, failed != 0); /* a reason exactly when it failed */
    *out = contents_of(j.out);
    if (!failed) {
        CHECK_EQUAL_U64(size, j.n_in);
        CHECK_EQUAL_U64(out->size, j.n_out);
    }
    fclose(j.in);
    fclose(j.out);
    return text;
}

blob decompressed(const b2s6_model *model, const unsigned char *bytes, size_t size, const b2s6_parallel *parallel)
{
    blob out;
    CHECK_STRING("", try_decompress(model, bytes, size, 0, parallel, &out));
    return out;
}

size_t check_round_trip(const b2s6_model *model, const unsigned char *bytes, size_t size)
{
    blob small = compressed(model, bytes, size, BYTE_RUN, NULL), back = decompressed(model, small.bytes, small.size, NULL);
    const size_t small_size = small.size;
    CHECK_EQUAL_SIZE(size, back.size);
    CHECK_BYTES(bytes, back.bytes, size);
    free(small.bytes);
    free(back.bytes);
    return small_size;
}

score scored(const b2s6_model *model, FILE *file, uint64_t piece, size_t run, const b2s6_parallel *parallel)
{
    text_model text;
    score s;
    char line[200] = "";
    message m = { line, sizeof line };
    score_job job = { &text, parallel, run, piece, 0, NULL, NULL };
    CHECK_EQUAL_INT(0, text_model_take(&text, model, &m));
    CHECK_EQUAL_INT(0, score_file(&s, &job, file, &m));
    text_model_leave(&text);
    return s;
}
