/*
 * subjects.h - models to put under test, each opened in the library and with input: the stored cases, then random ones
 */
#ifndef TEST_SUBJECTS_H
#define TEST_SUBJECTS_H

#include "generate.h"

/* Where the tests' files lie; main.c sets it. */
extern const char *tests_folder;

/* How the converter stores matrices, "f32" unless a test says otherwise; and states: NULL, as the model says. */
extern const char *subject_type, *subject_states;

/* A model file in memory, aligned to B2S6_ALIGNMENT and of exactly its size, and the model opened from there. */
typedef struct opened_model {
    unsigned char *bytes;
    size_t size;
    b2s6_model *model;
    b2s6_model_info info;
} opened_model;

/* size bytes aligned to B2S6_ALIGNMENT, for free. */
void *aligned_memory(size_t size);

/* These end the test as failed when something goes wrong. */
void open_bytes(opened_model *opened, const unsigned char *bytes, size_t size);
void open_trained(opened_model *opened, const trained_model *model); /* through the converter */
void close_model(opened_model *opened);

/* Layer l. */
b2s6_layer_info layer_of(const opened_model *opened, uint32_t l);

/* The .b2s6 file that the converter makes of a model, from malloc. */
unsigned char *convert_trained(const trained_model *model, size_t *size);

/* Steps first .. first + n - 1 of an input, as a run or as the single step first. */
b2s6_status run_input(b2s6_state *state, const model_input *input, size_t first, size_t n, float *out,
                      const b2s6_run_options *options);
b2s6_status step_input(b2s6_state *state, const model_input *input, size_t k, float *out);

/* All steps by one run with as much workspace as it likes: out (rows, width); flags are those of the run options. */
void run_whole(const opened_model *opened, const model_input *input, uint32_t flags, float *out);

/* Rows and width of what run_whole writes. */
size_t whole_rows(const opened_model *opened, size_t n_steps);
size_t whole_width(const opened_model *opened, uint32_t flags);

typedef struct subject {
    char name[64];
    opened_model opened;
    model_input input;
} subject;

extern const char *const case_names[];
extern const size_t n_cases;

/* The cases of kinds that came later, in layouts of their own; with their random models they are subjects FAMILY and on. */
extern const char *const family_case_names[];
extern const size_t n_family_cases;
enum { FAMILY = 1 << 20 };

/* All subjects of a test with n_random random models: cases, random models, then the family with n_random / 4 of its own. */
size_t n_subjects(size_t n_random);
size_t subject_at(size_t k, size_t n_random); /* the number of the k-th, for the calls below */

/* The .b2s6 file of a stored case, from malloc. */
unsigned char *convert_case(const char *name, size_t *size);

/* Subject i: a case for i < n_cases, else random model number i - n_cases; from FAMILY on the same of the family. */
void subject_make(subject *s, size_t i);
void subject_make_case(subject *s, const char *name);
void subject_free(subject *s);

/* The same in two parts, for a program that keeps the model files: the file's bytes, and the rest from them. */
unsigned char *subject_file(size_t i, size_t *size);
void subject_make_from(subject *s, size_t i, const unsigned char *file, size_t size);
void subject_name(char *name, size_t size, size_t i);

/* Each of n_subjects(n_random) in turn, its input cut to most_steps steps. */
void for_each_subject(size_t n_random, size_t most_steps, void (*check)(subject *s));

/* b2s6_model_open_file for the subject's bytes in a file of their own, which is gone afterwards. */
b2s6_status open_by_path(b2s6_model **model, const subject *s, const b2s6_open_options *options, b2s6_error *error);

#endif
