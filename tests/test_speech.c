/* test_speech.c - the parts of examples/speech: front end, detector, resampler, sound files, and the shipped models on a stored stream */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/speech/listener.h"
#include "../examples/speech/resample.h"
#include "../examples/speech/sound_file.h"
#include "files.h"
#include "subjects.h"
#include "suites.h"

enum { GENERATED = 80000, GENERATED_FRAMES = 624, STORED_FRAMES = 40, WORDS = 20, MOST_STEPS = 2000 };

/* What examples/pytorch/speech_files.py prints of the definition in Python. */
static const uint64_t generated_digest = UINT64_C(0xc8dd738805e9ebb1), stream_digest = UINT64_C(0x4d26cc06b4d512b0);

static uint64_t fnv(uint64_t h, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Bands as little-endian bytes, added to a digest. */
static uint64_t fnv_bands(uint64_t h, const int16_t *bands)
{
    for (int m = 0; m < SPEECH_BANDS; m++) {
        const unsigned char bytes[2] = { (unsigned char)(bands[m] & 255), (unsigned char)((uint16_t)bands[m] >> 8) };
        h = fnv(h, bytes, 2);
    }
    return h;
}

/* Loud, soft, full scale, silent and constant in turn, as in speech_files.py. */
static void generate(int16_t *samples)
{
    uint32_t x = 1;

    for (size_t i = 0; i < GENERATED; i++) {
        x = x * 1664525u + 1013904223u;
        const int32_t s = (int32_t)(x >> 16) - 32768;
        const int32_t choice[5] = { s, (s - (s < 0 ? 63 : 0)) / 64, s >= 0 ? 32767 : -32768, 0, -32768 };
        samples[i] = (int16_t)choice[i / 2000 % 5];
    }
}

/* Digest of all frames of samples that come in pieces of `piece`; the first frames to bands, if not NULL. */
static uint64_t digest_of(const int16_t *samples, size_t n, size_t piece, int16_t *first, size_t *n_frames)
{
    static struct speech_frontend frontend;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    int16_t bands[SPEECH_BANDS];
    int ready;

    *n_frames = 0;
    speech_frontend_init(&frontend);
    for (size_t at = 0; at < n;) {
        size_t left = piece < n - at ? piece : n - at;
        while (left) {
            const size_t taken = speech_frontend_push(&frontend, samples + at, left, bands, &ready);
            CHECK(taken > 0 && taken <= left);
            at += taken;
            left -= taken;
            if (!ready)
                continue;
            h = fnv_bands(h, bands);
            if (first && *n_frames < STORED_FRAMES)
                memcpy(first + *n_frames * SPEECH_BANDS, bands, sizeof bands);
            ++*n_frames;
        }
    }
    return h;
}

static void test_frontend(void)
{
    static int16_t samples[GENERATED], first[STORED_FRAMES * SPEECH_BANDS];
    const size_t pieces[] = { 1, 2, 97, 128, 255, 256, 257, 5000, GENERATED };
    size_t size, n_frames;
    unsigned char *stored = read_file(tests_folder, "speech/bands.bin", &size);

    if (!stored || size != sizeof first)
        FAIL("tests/speech/bands.bin cannot be read");
    generate(samples);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        test_context("pieces of %zu samples", pieces[i]);
        const uint64_t digest = digest_of(samples, GENERATED, pieces[i], first, &n_frames);
        for (size_t k = 0; k < STORED_FRAMES * SPEECH_BANDS; k++)
            CHECK_EQUAL_INT((int16_t)(stored[2 * k] | stored[2 * k + 1] << 8), first[k]);
        CHECK_EQUAL_SIZE(GENERATED_FRAMES, n_frames);
        CHECK_EQUAL_U64(generated_digest, digest);
    }
    free(stored);
}

static void test_beliefs(void)
{
    float logits[SPEECH_CLASSES] = { 0 };
    uint8_t beliefs[SPEECH_CLASSES];
    int sum = 0;

    speech_beliefs(logits, beliefs);
    for (int i = 0; i < SPEECH_CLASSES; i++)
        CHECK_EQUAL_INT(23, beliefs[i]);
    for (int k = 0; k < 2000; k++) { /* against exp */
        double total = 0;
        for (int i = 0; i < SPEECH_CLASSES; i++)
            logits[i] = (float)((k * 37 + i * 101) % 211) * (0.002f + 0.0002f * (float)(k % 700));
        for (int i = 0; i < SPEECH_CLASSES; i++)
            total += exp((double)logits[i]);
        speech_beliefs(logits, beliefs);
        sum = 0;
        for (int i = 0; i < SPEECH_CLASSES; i++) {
            CHECK_NEAR(255 * exp((double)logits[i]) / total, (double)beliefs[i], 0.6);
            sum += beliefs[i];
        }
        CHECK(sum >= 249 && sum <= 261);
    }
    for (int i = 0; i < SPEECH_CLASSES; i++)
        logits[i] = i == 4 ? 3e38f : -3e38f; /* their difference overflows */
    speech_beliefs(logits, beliefs);
    for (int i = 0; i < SPEECH_CLASSES; i++)
        CHECK_EQUAL_INT(i == 4 ? 255 : 0, beliefs[i]);
}

/* n steps of one belief; how many words came, the last one in *digit */
static int steps_of(struct speech_detector *d, int n, int of, uint8_t belief, int *digit)
{
    uint8_t beliefs[SPEECH_CLASSES] = { 0 };
    int words = 0;

    beliefs[of + 1] = belief;
    for (int i = 0; i < n; i++) {
        const int said = speech_detector_step(d, beliefs);
        if (said >= 0) {
            words++;
            *digit = said;
        }
    }
    return words;
}

static void test_detector(void)
{
    struct speech_detector d;
    int digit = -1;

    speech_detector_init(&d, 600);
    CHECK_EQUAL_INT(0, steps_of(&d, 100, 7, 149, &digit)); /* 4 * 149 < 600 */
    CHECK_EQUAL_INT(1, steps_of(&d, 100, 7, 150, &digit)); /* once, however long it lasts */
    CHECK_EQUAL_INT(7, digit);
    CHECK_EQUAL_INT(0, steps_of(&d, 2, 7, 0, &digit));
    CHECK_EQUAL_INT(0, steps_of(&d, 10, 7, 200, &digit)); /* it had not faded */
    CHECK_EQUAL_INT(0, steps_of(&d, 8, 7, 0, &digit));
    CHECK_EQUAL_INT(1, steps_of(&d, 10, 7, 200, &digit)); /* now it had */
    CHECK_EQUAL_INT(1, steps_of(&d, 10, 0, 255, &digit)); /* another digit need not wait for that */
    CHECK_EQUAL_INT(0, digit);
    speech_detector_init(&d, 600);
    CHECK_EQUAL_INT(0, steps_of(&d, 2, 3, 255, &digit));
    CHECK_EQUAL_INT(1, steps_of(&d, 1, 3, 255, &digit)); /* the third step reaches 765 */
    CHECK_EQUAL_INT(0, steps_of(&d, SPEECH_DEAF, 4, 255, &digit));
    CHECK_EQUAL_INT(1, steps_of(&d, 1, 4, 255, &digit));
}

/* A tone of `hertz` at `rate`, resampled: the largest difference to what it should be at 8 kHz, and the largest output */
static void resampled_tone(uint32_t rate, double hertz, double *worst, double *largest)
{
    static struct resampler r;
    const double pi = 3.14159265358979323846;
    size_t made = 0;

    *worst = *largest = 0;
    CHECK_EQUAL_INT(0, resampler_init(&r, rate));
    for (size_t i = 0; i < 2 * rate;) {
        const int16_t sample = (int16_t)floor(20000 * sin(2 * pi * hertz * (double)i / rate) + 0.5);
        int16_t out;
        int ready;
        i += resampler_push(&r, &sample, 1, &out, &ready);
        if (!ready)
            continue;
        if (made >= 100) { /* past the beginning */
            const double ideal = 20000 * sin(2 * pi * hertz * (double)made / 8000);
            *worst = fmax(*worst, fabs(out - ideal));
            *largest = fmax(*largest, fabs((double)out));
        }
        made++;
    }
    CHECK(made >= 16000 - 40 && made <= 16000);
}

static void test_resampler(void)
{
    static struct resampler r;
    const uint32_t rates[] = { 16000, 44100, 48000 }, refused[] = { 0, 1, 7999, 11025, 22050, 32000, 44101, 96000, UINT32_MAX };
    double worst, largest;

    for (size_t i = 0; i < 3; i++) {
        test_context("%lu Hz", (unsigned long)rates[i]);
        resampled_tone(rates[i], 0, &worst, &largest);
        CHECK(largest == 0);
        resampled_tone(rates[i], 440, &worst, &largest);
        CHECK(worst < 60); /* 50 dB below the tone */
        resampled_tone(rates[i], 3000, &worst, &largest);
        CHECK(worst < 60);
        resampled_tone(rates[i], 4600, &worst, &largest);
        CHECK(largest < 60); /* what 8 kHz cannot carry does not come back as another tone */
        resampled_tone(rates[i], 7000, &worst, &largest);
        CHECK(largest < 60);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_EQUAL_INT(-1, resampler_init(&r, refused[i]));
}

/* A file with these bytes, at its beginning. */
static FILE *file_of(const unsigned char *bytes, size_t n)
{
    FILE *f = tmpfile();

    if (!f || fwrite(bytes, 1, n, f) != n)
        FAIL("no temporary file");
    rewind(f);
    return f;
}

static void put(unsigned char *b, uint32_t value, int n)
{
    for (int i = 0; i < n; i++)
        b[i] = (unsigned char)(value >> 8 * i);
}

/* A WAV file of `groups` samples 100 k + channel; its size in bytes */
static size_t wav(unsigned char *b, uint32_t rate, uint32_t channels, uint32_t groups, uint32_t data_size)
{
    memcpy(b, "RIFF....WAVEfmt ", 16);
    put(b + 4, 36 + data_size, 4);
    put(b + 16, 16, 4);
    put(b + 20, 1, 2);
    put(b + 22, channels, 2);
    put(b + 24, rate, 4);
    put(b + 28, rate * channels * 2, 4);
    put(b + 32, channels * 2, 2);
    put(b + 34, 16, 2);
    memcpy(b + 36, "data", 4);
    put(b + 40, data_size, 4);
    for (uint32_t i = 0; i < groups * channels; i++)
        put(b + 44 + 2 * i, 100 * (i / channels) + i % channels, 2);
    return 44 + 2 * groups * channels;
}

/* Opens and reads all: how many samples, or -1 if opening was refused, -2 if the end was missing. */
static int read_all(const unsigned char *bytes, size_t n, struct sound_file *s, int16_t *samples, size_t room)
{
    FILE *f = file_of(bytes, n);
    int count = -1;

    if (sound_open(s, f, 8000, 1) == 0) {
        count = (int)sound_read(s, samples, room);
        if (sound_complete(s))
            count = -2;
    }
    CHECK((count >= 0) == (s->reason[0] == 0));
    fclose(f);
    return count;
}

static void test_sound_files(void)
{
    static unsigned char b[1000], moved[1200];
    static int16_t samples[1000];
    struct sound_file s;
    size_t n = wav(b, 44100, 3, 20, 120);

    CHECK_EQUAL_INT(20, read_all(b, n, &s, samples, 1000));
    CHECK(s.rate == 44100 && s.channels == 3 && s.clipped == 0);
    for (int i = 0; i < 20; i++)
        CHECK_EQUAL_INT(100 * i + 1, samples[i]);       /* the mean of 100 i, + 1 and + 2 */
    memcpy(b + n, "LIST\4\0\0\0abcd", 12);
    CHECK_EQUAL_INT(20, read_all(b, n + 12, &s, samples, 1000)); /* what follows the samples is not read as such */
    put(b + 40, 0, 4);
    CHECK_EQUAL_INT(22, read_all(b, n + 12, &s, samples, 1000)); /* no size given: to the end */
    put(b + 40, UINT32_MAX, 4);
    CHECK_EQUAL_INT(20, read_all(b, n, &s, samples, 1000));
    put(b + 40, 120, 4);
    for (size_t cut = 4; cut < n; cut++)                 /* cut anywhere: refused or told */
        CHECK(read_all(b, cut, &s, samples, 1000) == (cut < 44 ? -1 : -2));
    memcpy(moved, b, 12);                               /* another chunk of odd size in between */
    memcpy(moved + 12, "JUNK\5\0\0\0abcde\0", 14);
    memcpy(moved + 26, b + 12, n - 12);
    CHECK_EQUAL_INT(20, read_all(moved, n + 14, &s, samples, 1000));
    CHECK_EQUAL_INT(100 * 7 + 1, samples[7]);
    put(moved + 16, UINT32_MAX, 4);
    CHECK_EQUAL_INT(-1, read_all(moved, n + 14, &s, samples, 1000));
}

static void test_refused_sounds(void)
{
    static const struct {
        int at, bytes;
        uint32_t value;
        const char *says;
    } changes[] = {
        { 20, 2, 3, "floating-point samples of 16 bits" }, { 20, 2, 7, "mu-law" }, { 20, 2, 85, "a compressed WAV format" },
        { 34, 2, 8, "PCM of 8 bits" }, { 34, 2, 24, "PCM of 24 bits" }, { 22, 2, 0, "0 channels" }, { 22, 2, 9, "9 channels" },
        { 32, 2, 5, "blocks of 5 bytes" }, { 16, 4, 4, "too short" }, { 8, 4, 0, "no WAV file" }, { 12, 4, 0, "before their format" }
    };
    static const char *const others[] = { "fLaC", "OggS", "ID3", "RIFX", "FORM" };
    static unsigned char b[1000];
    static int16_t samples[1000];
    struct sound_file s;

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const size_t n = wav(b, 8000, 1, 10, 20);
        put(b + changes[i].at, changes[i].value, changes[i].bytes);
        test_context("%s", changes[i].says);
        CHECK_EQUAL_INT(-1, read_all(b, n, &s, samples, 1000));
        CHECK(strstr(s.reason, changes[i].says) != NULL);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        memset(b, 0, 100);
        memcpy(b, others[i], strlen(others[i]));
        test_context("%s", others[i]);
        CHECK_EQUAL_INT(-1, read_all(b, 100, &s, samples, 1000));
        CHECK(strstr(s.reason, "convert it first") != NULL);
    }
    for (int i = 0; i < 14; i++) /* raw samples, fewer than the look at the beginning wants, and a byte too many */
        put(b + 2 * i, (uint32_t)(i == 5 ? 0x8000 : i), 2);
    for (size_t n = 0; n < 28; n++) {
        CHECK_EQUAL_INT((int)(n / 2), read_all(b, n, &s, samples, 1000));
        for (size_t i = 0; i < n / 2; i++)
            CHECK_EQUAL_INT(i == 5 ? -32768 : (int)i, samples[i]);
        CHECK_EQUAL_INT(n >= 12, (int)s.clipped);
    }
}

/* What a listener made of the stored stream. */
struct heard {
    size_t n_steps, n_words;
    uint8_t beliefs[MOST_STEPS][SPEECH_CLASSES];
    struct {
        int digit;
        double seconds;
    } words[100];
};

static void hear(struct heard *h, b2s6_state *state, const int16_t *samples, size_t n, size_t piece, int repeats)
{
    static struct speech_listener l;
    struct speech_event event;
    b2s6_status status;

    memset(h, 0, sizeof *h);
    CHECK_OK(speech_listener_init(&l, state, SPEECH_THRESHOLD));
    for (int k = 0; k < repeats; k++) {
        h->n_steps = h->n_words = 0; /* the last time counts */
        for (size_t at = 0; at < n;) {
            const size_t left = piece < n - at ? piece : n - at;
            at += speech_listener_push(&l, samples + at, left, &event, &status);
            CHECK_OK(status);
            if (!event.stepped)
                continue;
            CHECK(h->n_steps < MOST_STEPS);
            memcpy(h->beliefs[h->n_steps++], l.beliefs, sizeof l.beliefs);
            if (event.digit < 0)
                continue;
            CHECK(h->n_words < 100);
            h->words[h->n_words].digit = event.digit;
            h->words[h->n_words++].seconds = (double)(event.samples - (uint64_t)k * n) / SPEECH_RATE;
        }
    }
}

/* Each word of stream.txt was heard, from its beginning to half a second after its end, and nothing else. */
static void check_words(const struct heard *h)
{
    size_t size;
    char *text = (char *)read_file(tests_folder, "../examples/speech/clips/stream.txt", &size), *line = text;

    if (!text)
        FAIL("examples/speech/clips/stream.txt cannot be read");
    CHECK_EQUAL_SIZE(WORDS, h->n_words);
    for (size_t i = 0; i < h->n_words; i++) {
        const long digit = strtol(line, &line, 10);
        const double begin = strtod(line, &line), end = strtod(line, &line);
        test_context("word %zu", i);
        CHECK_EQUAL_INT(digit, h->words[i].digit);
        CHECK(h->words[i].seconds > begin && h->words[i].seconds < end + 0.5);
    }
    free(text);
}

static void test_stream(void)
{
    static struct heard whole, parts;
    static int16_t samples[170000];
    const char *const models[] = { "../examples/models/speech.b2s6", "../examples/models/speech-q8.b2s6" };
    const size_t pieces[] = { 1, 100, 256, 1000 };
    size_t size, n_frames, n;
    unsigned char *bytes = read_file(tests_folder, "../examples/speech/clips/stream.wav", &size);
    struct sound_file s;

    if (!bytes)
        FAIL("examples/speech/clips/stream.wav cannot be read");
    n = (size_t)read_all(bytes, size, &s, samples, sizeof samples / sizeof *samples);
    CHECK(s.rate == 8000 && n % 256 == 0);
    CHECK_EQUAL_U64(stream_digest, digest_of(samples, n, n, NULL, &n_frames));
    for (size_t m = 0; m < 2; m++) {
        size_t model_size;
        unsigned char *model = read_file(tests_folder, models[m], &model_size);
        opened_model opened;
        b2s6_state *state;

        test_context("%s", models[m]);
        if (!model)
            FAIL("a shipped model of speech cannot be read");
        open_bytes(&opened, model, model_size);
        CHECK(speech_model_fits(opened.model));
        CHECK_OK(b2s6_state_create(&state, opened.model, NULL));
        hear(&whole, state, samples, n, n, 1);
        check_words(&whole);
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            hear(&parts, state, samples, n, pieces[i], 1);
            CHECK_EQUAL_SIZE(whole.n_steps, parts.n_steps);
            CHECK_BYTES(whole.beliefs, parts.beliefs, sizeof whole.beliefs);
        }
        hear(&whole, state, samples, n, n, 10); /* again and again: it becomes the same to the bit */
        check_words(&whole);
        hear(&parts, state, samples, n, n, 40);
        CHECK_EQUAL_SIZE(whole.n_steps, parts.n_steps);
        CHECK_BYTES(whole.beliefs, parts.beliefs, sizeof whole.beliefs);
        b2s6_state_destroy(state);
        close_model(&opened);
        free(model);
    }
    free(bytes);
}

static const test tests[] = { TEST(test_frontend), TEST(test_beliefs), TEST(test_detector), TEST(test_resampler), TEST(test_sound_files),
                              TEST(test_refused_sounds), TEST(test_stream) };
const test_suite suite_speech = TEST_SUITE("speech", tests);
