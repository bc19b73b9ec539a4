/* compress.c - codes a file byte by byte by a model's predictions, and decodes it */
#include "compress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../support/checksum.h"
#include "../text/byte_model.h"
#include "../text/prediction.h"
#include "archive.h"
#include "context_memory.h"
#include "range_coder.h"

/* Decoded bytes are handed on, and the bar drawn, so many at a time. */
#define PIECE 256

static void show(const compress_job *j, uint64_t done, uint64_t content)
{
    if (j->bar)
        progress_update(j->bar, done, content);
}

/* What both directions know of the file before its next byte. */
typedef struct predictor {
    context_memory *memory;
    uint32_t flat;
    uint32_t by_model[BYTE_VALUES];    /* frequencies, before the file's own past is mixed in */
    uint32_t frequencies[BYTE_VALUES]; /* those that the byte is coded with */
} predictor;

static int predictor_begin(predictor *f, message *m)
{
    f->flat = FLAT_MIN;
    f->memory = context_memory_create();
    return f->memory ? 0 : complain(m, "out of memory");
}

static void predict(predictor *f, const float *row)
{
    uint32_t weights[BYTE_VALUES];
    weights_of_scores(row, SCALE_ONE, weights);
    frequencies_of_weights(weights, f->flat, f->by_model);
    memcpy(f->frequencies, f->by_model, sizeof f->frequencies);
    context_memory_mix(f->memory, f->frequencies);
}

static void learn(predictor *f, unsigned char byte)
{
    f->flat = flat_after(f->flat, f->by_model[byte]);
    context_memory_take(f->memory, byte);
}

/* The message gets the name of the file that it is about. */
static int about(const char *name, message *m, const char *what)
{
    return complain(m, "%s: %s", name, what);
}

/* ----------------------------------------------------------------------------------------------------------- compress */

typedef struct compressor {
    byte_stream stream;
    predictor next;
    range_encoder encoder;
    uint32_t crc;
    unsigned char *bytes; /* (run) */
    float *rows;          /* (run, 256) */
    archive_writer archive;
} compressor;

static void encode_byte(compressor *c, const float *row, unsigned char byte)
{
    uint32_t below = 0;
    predict(&c->next, row);
    for (int i = 0; i < byte; i++)
        below += c->next.frequencies[i];
    range_encode(&c->encoder, below, c->next.frequencies[byte]);
    learn(&c->next, byte);
}

static int encode_all(compressor *c, compress_job *j, message *m)
{
    char text[200];
    message inner = { text, sizeof text };
    size_t n;
    errno = 0;
    while ((n = fread(c->bytes, 1, j->run, j->in)) > 0) {
        if (byte_stream_run(&c->stream, c->bytes, n, c->rows, &inner) != 0)
            return about(j->in_name, m, text);
        for (size_t i = 0; i < n; i++)
            encode_byte(c, c->rows + i * BYTE_VALUES, c->bytes[i]);
        c->crc = checksum(c->crc, c->bytes, n);
        j->n_in += n;
        if (ferror(j->out))
            return about(j->out_name, m, strerror(errno));
        show(j, j->n_in, j->n_in);
    }
    return ferror(j->in) ? about(j->in_name, m, strerror(errno)) : 0;
}

static int compress_stream(compressor *c, compress_job *j, message *m)
{
    archive_begin(&c->archive, j->out, byte_model_fingerprint(j->model));
    range_encoder_start(&c->encoder, archive_put, &c->archive);
    if (encode_all(c, j, m) != 0)
        return -1;
    range_encoder_finish(&c->encoder);
    archive_end(&c->archive, j->n_in, c->crc);
    j->n_out = c->archive.total;
    return ferror(j->out) ? about(j->out_name, m, strerror(errno)) : 0;
}

static int compressor_open(compressor *c, const compress_job *j, message *m)
{
    c->bytes = malloc(j->run);
    c->rows = malloc(j->run * BYTE_VALUES * sizeof *c->rows);
    if (!c->bytes || !c->rows)
        return complain(m, "out of memory");
    return predictor_begin(&c->next, m) != 0 ? -1 : byte_stream_open(&c->stream, j->model, j->run, j->parallel, m);
}

int compress(compress_job *j, message *m)
{
    compressor *c = calloc(1, sizeof *c);
    int failed;
    j->n_in = j->n_out = 0;
    if (!c)
        return complain(m, "out of memory");
    failed = compressor_open(c, j, m);
    if (!failed)
        failed = compress_stream(c, j, m);
    byte_stream_close(&c->stream);
    context_memory_destroy(c->next.memory);
    free(c->bytes);
    free(c->rows);
    free(c);
    return failed;
}

/* --------------------------------------------------------------------------------------------------------- decompress */

typedef struct decompressor {
    byte_stream stream;
    predictor next;
    range_decoder decoder;
    uint32_t crc;
    archive_reader archive;
} decompressor;

/* The next byte, or -1: a place that no encoder leaves. */
static int decode_byte(decompressor *d, const float *row)
{
    const uint32_t place = range_decoder_place(&d->decoder);
    uint32_t below = 0;
    int byte = 0;
    if (place >= FREQUENCY_TOTAL)
        return -1;
    predict(&d->next, row);
    while (place - below >= d->next.frequencies[byte])
        below += d->next.frequencies[byte++];
    range_decode(&d->decoder, below, d->next.frequencies[byte]);
    learn(&d->next, (unsigned char)byte);
    return byte;
}

/* At most a piece; *at_end is 1 when the content is complete. */
static int decode_piece(decompressor *d, compress_job *j, unsigned char *bytes, size_t *n, int *at_end, message *m)
{
    float row[BYTE_VALUES];
    for (*n = 0; *n < PIECE; bytes[(*n)++] = (unsigned char)d->stream.tokens.last) {
        int byte;
        *at_end = archive_at_end(&d->archive, j->n_out + *n, m);
        if (*at_end != 0)
            return *at_end < 0 ? -1 : 0;
        if (byte_stream_next(&d->stream, row, m) != 0)
            return -1;
        byte = decode_byte(d, row);
        if (byte < 0)
            return complain(m, "damaged or cut short");
        byte_stream_take(&d->stream, (unsigned char)byte);
    }
    return 0;
}

static int decode_all(decompressor *d, compress_job *j, message *m)
{
    char text[200];
    message inner = { text, sizeof text };
    unsigned char bytes[PIECE];
    size_t n;
    int at_end = 0;
    while (!at_end) {
        if (decode_piece(d, j, bytes, &n, &at_end, &inner) != 0)
            return about(j->in_name, m, text);
        d->crc = checksum(d->crc, bytes, n);
        j->n_out += n;
        if (at_end && d->crc != d->archive.content_crc)
            return about(j->in_name, m, "the content does not match its checksum");
        if (fwrite(bytes, 1, n, j->out) != n)
            return about(j->out_name, m, strerror(errno));
        show(j, d->archive.taken + d->archive.at, j->n_out);
    }
    j->n_in = d->archive.taken;
    return 0;
}

static int decompress_stream(decompressor *d, compress_job *j, message *m)
{
    char text[200];
    message inner = { text, sizeof text };
    if (archive_open(&d->archive, j->in, byte_model_fingerprint(j->model), &inner) != 0)
        return about(j->in_name, m, text);
    range_decoder_start(&d->decoder, archive_get, &d->archive);
    return decode_all(d, j, m);
}

int decompress(compress_job *j, message *m)
{
    decompressor *d = calloc(1, sizeof *d);
    int failed;
    j->n_in = j->n_out = 0;
    if (!d)
        return complain(m, "out of memory");
    failed = predictor_begin(&d->next, m) != 0 ? -1 : byte_stream_open(&d->stream, j->model, 1, j->parallel, m);
    if (!failed)
        failed = decompress_stream(d, j, m);
    byte_stream_close(&d->stream);
    context_memory_destroy(d->next.memory);
    free(d);
    return failed;
}
