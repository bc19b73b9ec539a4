/*
 * text_model.c - what check_text.sh works with
 *
 *     text_model FOLDER     writes FOLDER/hf and FOLDER/wide, small random models of 672 and 768 tokens as Hugging Face saves
 *                           them, without tokenizers
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "generate.h"
#include "hugging_face.h"
#include "test.h"

static const char *folder;

/* Decided opinions: else every text is as likely as another. */
static void write_model(const char *name, uint32_t vocabulary, uint64_t seed)
{
    random_source random = { seed };
    trained_model model;
    trained_tensor *head;
    char path[4096];
    memset(&model, 0, sizeof model);
    hugging_face_config(&model.config, &random);
    model.config.d_model = 24;
    model.config.d_inner = 48;
    model.config.d_conv = 4;
    model.config.n_layers = 2;
    model.config.unit.d_state = 8;
    model.config.input_size = model.config.head_size = vocabulary;
    model.config.head_tied = 0;
    generate_tensors(&model, &random);
    head = trained_find(&model, "head.", "weight");
    for (size_t i = 0; i < head->count; i++)
        head->values[i] *= 4;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(mkdir(path, 0777) == 0 && hugging_face_write(&model, path));
    trained_free(&model);
}

static void write_models(void)
{
    write_model("hf", 672, 1);
    write_model("wide", 768, 2);
}

static const test tests[] = { TEST(write_models) };
static const test_suite suite = TEST_SUITE("text_model", tests);

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
