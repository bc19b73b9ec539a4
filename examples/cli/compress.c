/* compress.c - see compress.h */
#include "compress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "byte_model.h"
#include "checksum.h"
#include "prediction.h"
#include "range_coder.h"

/* Decoded bytes are handed on, and the bar drawn, so many at a time. */
#define PIECE 256

static void show(const compress_job *j, uint64_t done)
{
    if (j->bar)
        progress_update(j->bar, done);
}

/* Frequencies for a row of scores. */
static void predict(const float *row, uint32_t flat, uint32_t *frequencies)
{
    uint32_t weights[BYTE_VALUES];
    weights_of_scores(row, SCALE_ONE, weights);
    frequencies_of_weights(weights, flat, frequencies);
}

/* The message gets the name of the file that it is about. */
static int about(const char *name, message *m, const char *what)
{
    return complain(m, "%s: %s", name, what);
}

/* ----------------------------------------------------------------------------------------------------------- compress */

typedef struct compressor {
    byte_stream stream;
    range_encoder encoder;
    uint32_t flat, crc;
    unsigned char *bytes; /* (run) */
    float *rows;          /* (run, 256) */
    archive_writer archive;
} compressor;

static void encode_byte(compressor *c, const float *row, unsigned char byte)
{
    uint32_t frequencies[BYTE_VALUES], below = 0;
    predict(row, c->flat, frequencies);
    for (int i = 0; i < byte; i++)
        below += frequencies[i];
    range_encode(&c->encoder, below, frequencies[byte]);
    c->flat = flat_after(c->flat, frequencies[byte]);
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
        show(j, j->n_in);
    }
    return ferror(j->in) ? about(j->in_name, m, strerror(errno)) : 0;
}

int compress(compress_job *j, message *m)
{
    compressor *c = malloc(sizeof *c);
    unsigned char *bytes = malloc(j->run);
    float *rows = malloc(j->run * BYTE_VALUES * sizeof *rows);
    int failed = -1;
    j->n_in = j->n_out = 0;
    if (!c || !bytes || !rows) {
        complain(m, "out of memory");
    } else if (byte_stream_open(&c->stream, j->model, j->run, m) == 0) {
        c->bytes = bytes;
        c->rows = rows;
        c->flat = FLAT_MIN;
        c->crc = 0;
        archive_begin(&c->archive, j->out, byte_model_fingerprint(j->model));
        range_encoder_start(&c->encoder, archive_put, &c->archive);
        failed = encode_all(c, j, m);
        if (!failed) {
            range_encoder_finish(&c->encoder);
            archive_end(&c->archive, j->n_in, c->crc);
            j->n_out = c->archive.total;
            failed = ferror(j->out) ? about(j->out_name, m, strerror(errno)) : 0;
        }
        byte_stream_close(&c->stream);
    }
    free(c);
    free(bytes);
    free(rows);
    return failed;
}

/* --------------------------------------------------------------------------------------------------------- decompress */

typedef struct decompressor {
    byte_stream stream;
    range_decoder decoder;
    uint32_t flat, crc;
    archive_reader archive;
} decompressor;

/* The next byte, or -1: a place that no encoder leaves. */
static int decode_byte(decompressor *d, const float *row)
{
    uint32_t frequencies[BYTE_VALUES], below = 0;
    const uint32_t place = range_decoder_place(&d->decoder);
    int byte = 0;
    if (place >= FREQUENCY_TOTAL)
        return -1;
    predict(row, d->flat, frequencies);
    while (place - below >= frequencies[byte])
        below += frequencies[byte++];
    range_decode(&d->decoder, below, frequencies[byte]);
    d->flat = flat_after(d->flat, frequencies[byte]);
    return byte;
}

/* At most a piece; *at_end is 1 when the content is complete. */
static int decode_piece(decompressor *d, compress_job *j, unsigned char *bytes, size_t *n, int *at_end, message *m)
{
    float row[BYTE_VALUES];
    for (*n = 0; *n < PIECE; bytes[(*n)++] = d->stream.last) {
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
        show(j, d->archive.taken + d->archive.at);
    }
    j->n_in = d->archive.taken;
    return 0;
}

int decompress(compress_job *j, message *m)
{
    char text[200];
    message inner = { text, sizeof text };
    decompressor *d = malloc(sizeof *d);
    int failed = -1;
    j->n_in = j->n_out = 0;
    if (!d) {
        complain(m, "out of memory");
    } else if (byte_stream_open(&d->stream, j->model, 0, m) == 0) {
        d->flat = FLAT_MIN;
        d->crc = 0;
        if (archive_open(&d->archive, j->in, byte_model_fingerprint(j->model), &inner) != 0) {
            about(j->in_name, m, text);
        } else {
            range_decoder_start(&d->decoder, archive_get, &d->archive);
            failed = decode_all(d, j, m);
        }
        byte_stream_close(&d->stream);
    }
    free(d);
    return failed;
}
