/*
 * answer.c - answers every sequence of a ListOps or Pathfinder file with a converted model, and counts the right ones
 *
 *     cc -O2 answer.c $(pkg-config --cflags --libs b2s6) -o answer
 *     ./answer MODEL.b2s6 test.bin [SCORES [FIRST COUNT]]
 *
 * SCORES, if given, gets the scores of all sequences: float32 as this machine has them, one row a sequence. FIRST and COUNT choose a part
 * of the sequences, so that several processes share the work; their files of scores, one after the other, are those of the whole. The files
 * of sequences are those that listops.c and pathfinder.c describe; a pixel v is the feature (v / 255 - 0.5) / 0.5.
 */
#include <b2s6.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 20 };

typedef struct sequences {
    unsigned char *file;            /* as read */
    const unsigned char *lengths;   /* u32 each */
    const unsigned char *answers, *values;
    size_t count, total, longest;
    int pixels;                     /* they are features, not tokens */
} sequences;

static int fail(const char *what, const char *reason)
{
    fprintf(stderr, "answer: %s: %s\n", what, reason);
    return EXIT_FAILURE;
}

static size_t u32(const unsigned char *p)
{
    return p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* The whole file, or NULL; *size gets its bytes. */
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = NULL;
    long end;
    if (f == NULL)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (end = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        *size = (size_t)end;
        data = malloc(*size + 1);
        if (data != NULL && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}

/* NULL, or what is wrong with the file */
static const char *read_sequences(sequences *s, const char *path)
{
    size_t size = 0, sum = 0;
    s->file = read_file(path, &size);
    if (s->file == NULL)
        return "cannot be read";
    s->pixels = size >= HEADER && memcmp(s->file, "B2S6PATH", 8) == 0;
    if (size < HEADER || (!s->pixels && memcmp(s->file, "B2S6LOPS", 8) != 0) || u32(s->file + 8) != 1)
        return "not a file of sequences, as listops and pathfinder write them";
    s->count = u32(s->file + 12);
    s->total = u32(s->file + 16);
    if (s->count > (size - HEADER) / 5 || size - HEADER - 5 * s->count != s->total)
        return "the file's size does not fit its header";
    s->lengths = s->file + HEADER;
    s->answers = s->lengths + 4 * s->count;
    s->values = s->answers + s->count;
    s->longest = 0;
    for (size_t i = 0; i < s->count; i++) {
        const size_t n = u32(s->lengths + 4 * i);
        if (n == 0 || n > s->total - sum)
            return "lengths that do not add up";
        sum += n;
        s->longest = n > s->longest ? n : s->longest;
    }
    return sum == s->total && s->count > 0 ? NULL : "lengths that do not add up";
}

static size_t largest(const float *v, size_t n)
{
    size_t at = 0;
    for (size_t i = 1; i < n; i++)
        at = v[i] > v[at] ? i : at;
    return at;
}

/* Leaves out the sequences before `first` and those after `count` more */
static void choose(sequences *s, size_t first, size_t count)
{
    for (size_t i = 0; i < first; i++)
        s->values += u32(s->lengths + 4 * i);
    s->lengths += 4 * first;
    s->answers += first;
    s->count = count;
}

/* The scores of one sequence of n values; inputs has room for n tokens or features */
static b2s6_status answer_one(b2s6_state *state, const sequences *s, const unsigned char *values, size_t n, void *inputs,
                              float *scores, size_t outputs, const b2s6_run_options *options)
{
    int32_t *tokens = inputs;
    float *features = inputs;
    const b2s6_status status = b2s6_state_reset(state);
    if (status != B2S6_OK)
        return status;
    if (s->pixels) {
        for (size_t k = 0; k < n; k++)
            features[k] = ((float)values[k] / 255.0f - 0.5f) / 0.5f;
        return b2s6_run_features(state, features, 1, n, scores, outputs, options);
    }
    for (size_t k = 0; k < n; k++)
        tokens[k] = values[k];
    return b2s6_run_tokens(state, tokens, n, scores, outputs, options);
}

/* Scores of every sequence to out (if any); the number of right answers, or -1 after a message */
static long answer_all(b2s6_state *state, const sequences *s, size_t outputs, FILE *out)
{
    const b2s6_model *model = b2s6_state_model(state);
    const size_t room = b2s6_workspace_size(model, s->longest);
    void *inputs = malloc(s->longest * (sizeof(int32_t) > sizeof(float) ? sizeof(int32_t) : sizeof(float)));
    float *scores = malloc(outputs * sizeof *scores);
    void *memory = malloc(room + B2S6_ALIGNMENT);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    const unsigned char *values = s->values;
    long right = 0;
    if (inputs == NULL || scores == NULL || memory == NULL)
        right = -1, fail("memory", "not enough of it");
    options.workspace = (void *)(((uintptr_t)memory + B2S6_ALIGNMENT - 1) / B2S6_ALIGNMENT * B2S6_ALIGNMENT);
    options.workspace_size = room;
    for (size_t i = 0; i < s->count && right >= 0; i++) {
        const size_t n = u32(s->lengths + 4 * i);
        const b2s6_status status = answer_one(state, s, values, n, inputs, scores, outputs, &options);
        values += n;
        if (status != B2S6_OK)
            right = -1, fail("a sequence", b2s6_status_text(status));
        else if (out != NULL && fwrite(scores, sizeof *scores, outputs, out) != outputs)
            right = -1, fail("the scores", "cannot be written");
        else
            right += largest(scores, outputs) == s->answers[i];
    }
    free(inputs);
    free(scores);
    free(memory);
    return right;
}

int main(int argc, char **argv)
{
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    b2s6_model_info info = { .struct_size = sizeof info };
    sequences s;
    const char *wrong;
    FILE *out = NULL;
    long right;

    if (argc != 3 && argc != 4 && argc != 6) {
        fprintf(stderr, "usage: answer MODEL.b2s6 SEQUENCES [SCORES [FIRST COUNT]]\n");
        return 2;
    }
    if (b2s6_model_open_file(&model, argv[1], NULL, &error) != B2S6_OK)
        return fail(argv[1], error.message);
    b2s6_model_describe(model, &info);
    if (!info.bidirectional || info.pool == B2S6_POOL_NONE)
        return fail(argv[1], "not a classifier of whole sequences");
    if ((wrong = read_sequences(&s, argv[2])) != NULL)
        return fail(argv[2], wrong);
    if (s.pixels ? info.input_kind != B2S6_FEATURES || info.input_size != 1 : info.input_kind != B2S6_TOKENS)
        return fail(argv[1], s.pixels ? "does not take pixels, one feature a step" : "does not take tokens");
    if (argc == 6) {
        const size_t first = strtoul(argv[4], NULL, 10), count = strtoul(argv[5], NULL, 10);
        if (first >= s.count || count == 0 || count > s.count - first)
            return fail(argv[2], "FIRST and COUNT have to choose sequences that it has");
        choose(&s, first, count);
    }
    if (argc >= 4 && (out = fopen(argv[3], "wb")) == NULL)
        return fail(argv[3], "cannot be written");
    if (b2s6_state_create(&state, model, NULL) != B2S6_OK)
        return fail("memory", "not enough of it");
    right = answer_all(state, &s, info.output_size, out);
    if (out != NULL && fclose(out) != 0 && right >= 0)
        right = -1, fail(argv[3], "cannot be written");
    if (right >= 0)
        printf("%ld of %lu right, %.2f %%\n", right, (unsigned long)s.count, 100.0 * (double)right / (double)s.count);
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    free(s.file);
    return right < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
