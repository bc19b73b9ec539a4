/* archive.c - writes and reads what is around the coded bytes: header, length, checksums */
#define _POSIX_C_SOURCE 200809L

#include "archive.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../support/checksum.h"

enum {
    HEADER_SIZE = 12,       /* magic 3, version 1, fingerprint 8 */
    CRC_SIZE = 4,
    LENGTH_GROUPS = 9,      /* of 7 bits: lengths below 2^63 */
    TRAILER_MAX = 2 * CRC_SIZE + LENGTH_GROUPS,
    LOOK_AHEAD = 64,        /* more than trailer, end of the coded bytes and decoder's start together */
    BEYOND_MAX = 7          /* how far a decoder reads past the last coded byte */
};

static const unsigned char magic[3] = { 0x89, 'B', 'Z' };
static const char damaged[] = "damaged or cut short";

static void put_little_endian(unsigned char *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_little_endian(const unsigned char *from, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* ------------------------------------------------------------------------------------------------------------- writing */

static void flush_buffer(archive_writer *w)
{
    w->crc = checksum(w->crc, w->buffer, w->n);
    w->total += fwrite(w->buffer, 1, w->n, w->file);
    w->n = 0;
}

void archive_put(void *writer, unsigned char byte)
{
    archive_writer *w = writer;
    w->buffer[w->n++] = byte;
    if (w->n == sizeof w->buffer)
        flush_buffer(w);
}

static void put_all(archive_writer *w, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        archive_put(w, bytes[i]);
}

void archive_begin(archive_writer *w, FILE *file, uint64_t fingerprint)
{
    unsigned char header[HEADER_SIZE];
    w->file = file;
    w->crc = 0;
    w->total = 0;
    w->n = 0;
    memcpy(header, magic, sizeof magic);
    header[3] = ARCHIVE_VERSION;
    put_little_endian(header + 4, fingerprint, 8);
    put_all(w, header, sizeof header);
}

void archive_end(archive_writer *w, uint64_t length, uint32_t content_crc)
{
    unsigned char crc[CRC_SIZE];
    int groups = 1;
    put_little_endian(crc, content_crc, CRC_SIZE);
    put_all(w, crc, CRC_SIZE);
    while (groups < LENGTH_GROUPS && length >> (7 * groups) != 0)
        groups++;
    for (int i = groups; i-- > 0;) /* the highest first; it is read backwards, and a mark says that a higher one follows */
        archive_put(w, (unsigned char)((length >> (7 * i) & 0x7f) | (i + 1 < groups ? 0x80 : 0)));
    flush_buffer(w);
    put_little_endian(crc, w->crc, CRC_SIZE);
    put_all(w, crc, CRC_SIZE);
    flush_buffer(w);
}

/* ------------------------------------------------------------------------------------------------------------- reading */

/* The length, read backwards from just before `end`. The number of bytes it takes, or 0 if it is none. */
static size_t parse_length(const unsigned char *end, size_t room, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < LENGTH_GROUPS && i < room; i++) {
        const unsigned char group = end[-1 - (ptrdiff_t)i];
        *length |= (uint64_t)(group & 0x7f) << (7 * i);
        if ((group & 0x80) == 0)
            return i > 0 && group == 0 ? 0 : i + 1;
    }
    return 0;
}

/* The file ends at r->end: finds the trailer there. */
static void parse_trailer(archive_reader *r)
{
    const size_t room = r->end - r->at;
    size_t groups, place = r->end;
    r->whole = 1;
    if (room < 2 * CRC_SIZE + 1) {
        r->failed = 1;
        return;
    }
    place -= CRC_SIZE;
    r->file_crc = (uint32_t)get_little_endian(r->buffer + place, CRC_SIZE);
    groups = parse_length(r->buffer + place, room - 2 * CRC_SIZE, &r->length);
    place -= groups + CRC_SIZE;
    r->content_crc = (uint32_t)get_little_endian(r->buffer + place, CRC_SIZE);
    r->coded_end = place;
    r->failed |= groups == 0;
}

static void account(archive_reader *r, size_t start, size_t end)
{
    r->crc = checksum(r->crc, r->buffer + start, end - start);
    r->taken += end - start;
}

/* Keeps so much in the buffer that the trailer is never taken for coded bytes. */
static void refill(archive_reader *r)
{
    account(r, 0, r->at);
    memmove(r->buffer, r->buffer + r->at, r->end - r->at);
    r->end -= r->at;
    r->at = 0;
    r->end += fread(r->buffer + r->end, 1, sizeof r->buffer - r->end, r->file);
    if (r->end < sizeof r->buffer) {
        r->failed |= ferror(r->file) != 0;
        parse_trailer(r);
    }
}

static int check_header(const unsigned char *header, size_t n, uint64_t fingerprint, message *m)
{
    uint64_t of_file;
    if (n < sizeof magic || memcmp(header, magic, sizeof magic) != 0)
        return complain(m, "not a file that b2s6 compressed");
    if (n < HEADER_SIZE)
        return complain(m, "%s", damaged);
    if (header[3] != ARCHIVE_VERSION)
        return complain(m, "version %d of the format; this program reads version %d", header[3], ARCHIVE_VERSION);
    of_file = get_little_endian(header + 4, 8);
    if (of_file != fingerprint)
        return complain(m, "compressed with another model: fingerprint %016llx, this one has %016llx",
                        (unsigned long long)of_file, (unsigned long long)fingerprint);
    return 0;
}

/* The CRC of all bytes but the last four, whose place is known only when nothing follows them. */
static int check_rest(FILE *file, uint32_t crc, message *m)
{
    unsigned char buffer[16384];
    size_t end = 0, n;
    while ((n = fread(buffer + end, 1, sizeof buffer - end, file)) > 0) {
        end += n;
        if (end > CRC_SIZE) {
            crc = checksum(crc, buffer, end - CRC_SIZE);
            memmove(buffer, buffer + end - CRC_SIZE, CRC_SIZE);
            end = CRC_SIZE;
        }
    }
    if (ferror(file))
        return complain(m, "%s", strerror(errno));
    return end < CRC_SIZE || crc != get_little_endian(buffer, CRC_SIZE) ? complain(m, "%s", damaged) : 0;
}

/* A file that can be read twice is read once for this alone, so that damage shows before the work rather than after it. */
static int look_through(FILE *file, const unsigned char *header, message *m)
{
    struct stat status;
    const off_t start = ftello(file);
    if (start < 0 || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    if (check_rest(file, checksum(0, header, HEADER_SIZE), m) != 0)
        return -1;
    return fseeko(file, start, SEEK_SET) == 0 ? 0 : complain(m, "%s", strerror(errno));
}

int archive_open(archive_reader *r, FILE *file, uint64_t fingerprint, message *m)
{
    memset(r, 0, sizeof *r);
    r->file = file;
    r->end = fread(r->buffer, 1, HEADER_SIZE, file);
    if (ferror(file))
        return complain(m, "%s", strerror(errno));
    if (check_header(r->buffer, r->end, fingerprint, m) != 0 || look_through(file, r->buffer, m) != 0)
        return -1;
    r->at = HEADER_SIZE;
    refill(r);
    return r->failed ? complain(m, "%s", damaged) : 0;
}

unsigned char archive_get(void *reader)
{
    archive_reader *r = reader;
    if (!r->whole && r->end - r->at <= LOOK_AHEAD)
        refill(r);
    if (!r->whole || r->at < r->coded_end)
        return r->buffer[r->at++];
    r->n_beyond++;
    return 0;
}

int archive_at_end(archive_reader *r, uint64_t n, message *m)
{
    if (!r->whole && r->end - r->at <= LOOK_AHEAD)
        refill(r);
    if (ferror(r->file))
        return complain(m, "cannot be read");
    if (r->failed || r->n_beyond > BEYOND_MAX)
        return complain(m, "%s", damaged);
    if (!r->whole || n < r->length)
        return 0;
    if (r->at != r->coded_end)
        return complain(m, "%s", damaged);
    account(r, 0, r->end - CRC_SIZE);
    r->taken += CRC_SIZE;
    return r->crc == r->file_crc ? 1 : complain(m, "%s", damaged);
}
