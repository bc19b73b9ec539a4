/*
 * sound_file.h - samples of a WAV file, or raw ones, as they come: any number of channels is mixed to one
 *
 * Reads from a FILE that need not seek, a pipe or a terminal too. What it cannot read is refused by name.
 */
#ifndef SPEECH_SOUND_FILE_H
#define SPEECH_SOUND_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SOUND_CHANNELS = 8, SOUND_REASON = 200 };

struct sound_file {
    FILE *file;
    uint32_t rate;              /* samples a second and channel */
    uint32_t channels;
    uint64_t expected;          /* sample groups that the header announces, UINT64_MAX if it does not say */
    uint64_t taken;             /* sample groups read */
    uint64_t clipped;           /* of them with a channel at full scale */
    unsigned char begun[16];    /* the first bytes of a raw stream, looked at to see whether it is one */
    size_t n_begun, at_begun;
    char reason[SOUND_REASON];  /* why a call failed: one line without a newline */
};

/*
 * Looks at the beginning: a WAV file, or else raw samples of 16 bits, little-endian, with this rate and number of
 * channels. 0, or -1
 * with a reason.
 */
int sound_open(struct sound_file *s, FILE *file, uint32_t raw_rate, uint32_t raw_channels);

/* The next samples, mixed, at most n, waiting for one at least; 0 at the end. */
size_t sound_read(struct sound_file *s, int16_t *samples, size_t n);

/* After the last sound_read: 0, or -1 with a reason if reading failed or the file ends before its header says. */
int sound_complete(struct sound_file *s);

#endif
