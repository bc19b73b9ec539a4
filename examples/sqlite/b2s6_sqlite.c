/*
 * b2s6_sqlite.c - a function for SQLite: how surprising a text is to a language model of bytes
 *
 *     cc -O2 -fPIC -shared b2s6_sqlite.c $(pkg-config --cflags --libs b2s6) -o b2s6_sqlite.so
 *     sqlite3 log.db
 *     .load ./b2s6_sqlite
 *     SELECT line, b2s6_surprise('bytes.b2s6', line) AS bits FROM log ORDER BY bits DESC LIMIT 10;
 *
 * b2s6_surprise(MODEL, TEXT) is the number of bits a byte of TEXT, or of a BLOB, that the model would need for it, read
 * from the beginning of a stream; 0 for an empty text, NULL for NULL. The same value on every machine, so that it may stand in an index.
 * The model is opened once a statement and kept by SQLite for as long as the first argument stays the same.
 */
#define _POSIX_C_SOURCE 200112L /* posix_memalign */

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include <b2s6.h>
#include <stdlib.h>

#define BYTES 256
#define PIECE 64 /* bytes that are read at once */

/* An open model and a stream, reset for every text. */
typedef struct reader {
    b2s6_model *model;
    b2s6_state *state;
    b2s6_run_options options;
    float rows[PIECE][BYTES]; /* what the model expected at each byte of a piece */
} reader;

static void reader_free(void *memory)
{
    reader *r = (reader *)memory;
    b2s6_state_destroy(r->state);
    b2s6_model_close(r->model);
    free(r->options.workspace);
    free(r);
}

/* Opens the model into *r. Returns NULL, or what is wrong: a text of error, or a constant. */
static const char *reader_open(reader *r, const char *path, b2s6_error *error)
{
    const b2s6_run_options options = B2S6_RUN_OPTIONS;
    b2s6_model_info info = { .struct_size = sizeof info };
    r->options = options;
    if (b2s6_model_open_file(&r->model, path, NULL, error) != B2S6_OK)
        return error->message;
    b2s6_model_describe(r->model, &info);
    if (info.input_kind != B2S6_TOKENS || info.input_size != BYTES || info.output_size != BYTES || info.bidirectional)
        return "not a language model of bytes";
    r->options.workspace_size = b2s6_workspace_size(r->model, PIECE);
    if (posix_memalign(&r->options.workspace, B2S6_ALIGNMENT, r->options.workspace_size) != 0 ||
        b2s6_state_create(&r->state, r->model, NULL) != B2S6_OK)
        return "out of memory";
    return NULL;
}

/* The surprise of n bytes, in bits: the stream reads a line feed, then all bytes but the last. */
static double bits_of(reader *r, const unsigned char *text, size_t n)
{
    double bits = 0;
    int32_t tokens[PIECE];
    b2s6_state_reset(r->state);
    for (size_t at = 0; at < n; at += PIECE) {
        const size_t piece = n - at < PIECE ? n - at : PIECE;
        for (size_t i = 0; i < piece; i++)
            tokens[i] = at + i > 0 ? text[at + i - 1] : '\n';
        if (b2s6_run_tokens(r->state, tokens, piece, r->rows[0], piece * BYTES, &r->options) != B2S6_OK)
            abort(); /* cannot be: every byte is a token of this model */
        for (size_t i = 0; i < piece; i++)
            bits -= b2s6_log_probability(r->rows[i], BYTES, text[at + i]) / 0.69314718056;
    }
    return bits;
}

/* The reader that SQLite keeps beside the first argument; opened if there is none. NULL: the error is told. */
static reader *reader_of(sqlite3_context *context, sqlite3_value *argument, int *is_new)
{
    reader *r = (reader *)sqlite3_get_auxdata(context, 0);
    const char *path = (const char *)sqlite3_value_text(argument), *wrong;
    b2s6_error error;
    *is_new = r == NULL;
    if (r)
        return r;
    if (!path || !(r = (reader *)calloc(1, sizeof *r))) {
        sqlite3_result_error(context, path ? "b2s6_surprise: out of memory" : "b2s6_surprise: the path of a model is needed", -1);
        return NULL;
    }
    wrong = reader_open(r, path, &error);
    if (wrong) {
        char *message = sqlite3_mprintf("b2s6_surprise: %s: %s", path, wrong);
        sqlite3_result_error(context, message ? message : wrong, -1);
        sqlite3_free(message);
        reader_free(r);
        return NULL;
    }
    return r;
}

static void surprise(sqlite3_context *context, int n_arguments, sqlite3_value **arguments)
{
    int is_new;
    reader *r;
    (void)n_arguments; /* 2: SQLite has seen to it */
    if (sqlite3_value_type(arguments[1]) == SQLITE_NULL)
        return; /* the result is NULL */
    if (!(r = reader_of(context, arguments[0], &is_new)))
        return;
    /* a BLOB is read as it is; of all else its text */
    const int blob = sqlite3_value_type(arguments[1]) == SQLITE_BLOB;
    const void *text = blob ? sqlite3_value_blob(arguments[1]) : (const void *)sqlite3_value_text(arguments[1]);
    const size_t n = (size_t)sqlite3_value_bytes(arguments[1]);
    sqlite3_result_double(context, n ? bits_of(r, (const unsigned char *)text, n) / (double)n : 0);
    if (is_new)
        sqlite3_set_auxdata(context, 0, r, reader_free); /* last: SQLite may free it at once */
}

/* SQLite looks for this name: the file's, its letters only. */
int sqlite3_bssqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
    (void)message;
    SQLITE_EXTENSION_INIT2(api);
    return sqlite3_create_function(db, "b2s6_surprise", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, surprise, NULL, NULL);
}
