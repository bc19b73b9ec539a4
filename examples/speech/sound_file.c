/*
 * sound_file.c - WAV and raw samples (sound_file.h)
 *
 * Of a WAV file's chunks the format and the data count, others are skipped. A data size of 0 or 2^32 - 1 is what
 * programs write that
 * do not know it yet: then the data goes on to the end of the file.
 */
#include "sound_file.h"

#include <errno.h>
#include <string.h>

static int refuse(struct sound_file *s, const char *reason)
{
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    return -1;
}

static uint32_t load_u16(const unsigned char *b)
{
    return b[0] | (uint32_t)b[1] << 8;
}

static uint32_t load_u32(const unsigned char *b)
{
    return load_u16(b) | load_u16(b + 2) << 16;
}

/* Reads past n bytes; whether they were there. */
static int skip(FILE *file, uint64_t n)
{
    unsigned char bytes[512];

    while (n) {
        const size_t part = n < sizeof bytes ? (size_t)n : sizeof bytes;

        if (fread(bytes, 1, part, file) != part)
            return 0;
        n -= part;
    }
    return 1;
}

/* The fields of a format chunk: PCM of 16 bits, plain or as an extensible format's. */
static int check_format(struct sound_file *s, const unsigned char *fmt, size_t size)
{
    uint32_t kind = load_u16(fmt);
    const uint32_t bits = load_u16(fmt + 14);

    if (kind == 0xfffe && size >= 26)
        kind = load_u16(fmt + 24);
    s->channels = load_u16(fmt + 2);
    s->rate = load_u32(fmt + 4);
    if (kind != 1 || bits != 16) {
        snprintf(s->reason, sizeof s->reason, "%s of %u bits: only PCM of 16 bits is read; convert it first (sox IN -b 16 OUT)",
                 kind == 1 ? "PCM" : kind == 3 ? "floating-point samples" : kind == 6 ? "A-law" : kind == 7 ? "mu-law" :
                 "a compressed WAV format", (unsigned)bits);
        return -1;
    }
    if (s->channels < 1 || s->channels > SOUND_CHANNELS || load_u16(fmt + 12) != 2 * s->channels) {
        snprintf(s->reason, sizeof s->reason, "%u channels in blocks of %u bytes: 1 to %d channels of 16 bits are read",
                 (unsigned)s->channels, (unsigned)load_u16(fmt + 12), SOUND_CHANNELS);
        return -1;
    }
    return 0;
}

/* The chunks up to the data's first byte. */
static int open_wav(struct sound_file *s)
{
    int has_format = 0;

    for (;;) {
        unsigned char head[8], fmt[40];
        uint32_t size;

        if (fread(head, 1, sizeof head, s->file) != sizeof head)
            return refuse(s, "a WAV file that ends before its samples begin");
        size = load_u32(head + 4);
        if (!memcmp(head, "data", 4)) {
            if (!has_format)
                return refuse(s, "a WAV file whose samples come before their format");
            s->expected = size == 0 || size == UINT32_MAX ? UINT64_MAX : size / (2 * s->channels);
            return 0;
        }
        if (!memcmp(head, "fmt ", 4) && !has_format) {
            const size_t part = size < sizeof fmt ? size : sizeof fmt;

            if (size < 16)
                return refuse(s, "a WAV file with a format chunk too short to be one");
            if (fread(fmt, 1, part, s->file) != part)
                return refuse(s, "a WAV file that ends within its format");
            if (check_format(s, fmt, part))
                return -1;
            has_format = 1;
            size -= (uint32_t)part;
            if (!skip(s->file, (uint64_t)size + (load_u32(head + 4) & 1)))
                return refuse(s, "a WAV file that ends within its format");
        } else if (!skip(s->file, (uint64_t)size + (size & 1))) {
            return refuse(s, "a WAV file that ends before its samples begin");
        }
    }
}

/* Formats that people have at hand, by their first bytes. */
static const char *other_format(const unsigned char *b, size_t n)
{
    static const struct {
        const char *bytes, *name;
    } known[] = {
        { "fLaC", "FLAC" }, { "OggS", "Ogg" }, { "ID3", "MP3" }, { "RIFX", "big-endian WAV" }, { "RF64", "RF64" },
        { "FORM", "AIFF" }, { ".snd", "Sun audio" }, { "caff", "Core Audio" }
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= strlen(known[i].bytes) && !memcmp(b, known[i].bytes, strlen(known[i].bytes)))
            return known[i].name;
    return NULL;
}

int sound_open(struct sound_file *s, FILE *file, uint32_t raw_rate, uint32_t raw_channels)
{
    const char *other;

    memset(s, 0, sizeof *s);
    s->file = file;
    s->n_begun = fread(s->begun, 1, 12, file);
    other = other_format(s->begun, s->n_begun);
    if (other) {
        snprintf(s->reason, sizeof s->reason, 
                 "a file of format %s: WAV and raw samples are read; convert it first (sox IN OUT.wav)", other);
        return -1;
    }
    if (s->n_begun >= 4 && !memcmp(s->begun, "RIFF", 4)) {
        if (s->n_begun < 12 || memcmp(s->begun + 8, "WAVE", 4))
            return refuse(s, "a RIFF file that is no WAV file");
        s->n_begun = 0;
        return open_wav(s);
    }
    s->rate = raw_rate;
    s->channels = raw_channels;
    s->expected = UINT64_MAX;
    return 0;
}

/* One sample of all channels: 1, or 0 if there is no whole one. */
static int next_group(struct sound_file *s, unsigned char *bytes)
{
    const size_t size = 2 * s->channels;
    size_t have = 0;

    while (have < size && s->at_begun < s->n_begun)
        bytes[have++] = s->begun[s->at_begun++];
    return have == size || fread(bytes + have, 1, size - have, s->file) == size - have;
}

static int16_t mixed(struct sound_file *s, const unsigned char *bytes)
{
    int32_t sum = 0;
    int full = 0;

    for (uint32_t c = 0; c < s->channels; c++) {
        const int32_t x = (int32_t)(load_u16(bytes + 2 * c) ^ 0x8000) - 0x8000;

        full |= x == INT16_MAX || x == INT16_MIN;
        sum += x;
    }
    s->clipped += (uint64_t)full;
    return (int16_t)(sum / (int32_t)s->channels);
}

size_t sound_read(struct sound_file *s, int16_t *samples, size_t n)
{
    unsigned char bytes[2 * SOUND_CHANNELS];
    size_t i = 0;

    while (i < n && s->taken < s->expected && next_group(s, bytes)) {
        samples[i++] = mixed(s, bytes);
        s->taken++;
    }
    return i;
}

int sound_complete(struct sound_file *s)
{
    if (ferror(s->file)) {
        snprintf(s->reason, sizeof s->reason, "cannot be read to its end: %s", strerror(errno));
        return -1;
    }
    if (s->expected != UINT64_MAX && s->taken < s->expected) {
        snprintf(s->reason, sizeof s->reason, "cut: it ends after %.2f s, its header announces %.2f s",
                 (double)s->taken / s->rate, (double)s->expected / s->rate);
        return -1;
    }
    return 0;
}
