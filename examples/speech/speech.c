/*
 * speech.c - spoken digits, as they are spoken: a WAV file or a microphone's samples go in, words with their times come out
 *
 *     arecord -q -f S16_LE -r 8000 | speech examples/models/speech.b2s6
 *     speech examples/models/speech.b2s6 words.wav
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "resample.h"
#include "screen.h"
#include "sound_file.h"

static const char help[] =
    "usage: speech [OPTIONS] MODEL.b2s6 [FILE.wav]\n"
    "\n"
    "Prints the digits that are spoken in a WAV file, or in what comes from standard input (a WAV file or raw\n"
    "samples of 16 bits, little-endian), with the time at which each was understood and the belief in it. On a\n"
    "terminal it also shows the level and the belief in each digit.\n"
    "\n"
    "    arecord -q -f S16_LE -r 8000 | speech MODEL.b2s6\n"
    "\n"
    "  --rate N         rate of raw samples: 8000 (the default), 16000, 44100 or 48000\n"
    "  --channels N     channels of raw samples, mixed to one: 1 (the default) to 8\n"
    "  --threshold N    belief from which a word counts, in percent: 1 to 100\n"
    "  --plain          words only, also on a terminal\n"
    "  --word           the sound is one word: print the digit that was believed in most at any time\n"
    "  --help           this text\n";

struct options {
    const char *model, *file;
    uint32_t rate, channels, threshold;
    int plain, word;
};

/* The digit believed in most so far, and how much. */
struct best {
    int digit;
    uint16_t sum;
};

static int fail(const char *format, ...)
{
    va_list arguments;

    fputs("speech: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}

/* A whole number from low to high: 0, or -1 after saying what is wrong. */
static int number(const char *option, const char *text, long low, long high, uint32_t *value)
{
    char *end;
    long n;

    errno = 0;
    n = text ? strtol(text, &end, 10) : 0;
    if (!text || end == text || *end || errno || n < low || n > high) {
        fail("%s needs a whole number from %ld to %ld", option, low, high);
        return -1;
    }
    *value = (uint32_t)n;
    return 0;
}

/* 0 to go on, 1 when all is said, -1 after an error */
static int read_options(int argc, char **argv, struct options *o)
{
    int i;

    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (!strcmp(argv[i], "--help")) {
            fputs(help, stdout);
            return 1;
        }
        if (!strcmp(argv[i], "--")) {
            i++;
            break;
        }
        if (!strcmp(argv[i], "--plain"))
            o->plain = 1;
        else if (!strcmp(argv[i], "--word"))
            o->plain = o->word = 1;
        else if (!strcmp(argv[i], "--rate") ? number("--rate", argv[i + 1], 1, 1000000, &o->rate) :
                 !strcmp(argv[i], "--channels") ? number("--channels", argv[i + 1], 1, SOUND_CHANNELS, &o->channels) :
                 !strcmp(argv[i], "--threshold") ? number("--threshold", argv[i + 1], 1, 100, &o->threshold) :
                 (fail("there is no option %s; see speech --help", argv[i]), -1))
            return -1;
        else
            i++;
    }
    if (argc - i < 1 || argc - i > 2) {
        fail("a model and at most one sound file are needed; see speech --help");
        return -1;
    }
    o->model = argv[i];
    o->file = argc - i > 1 && strcmp(argv[i + 1], "-") ? argv[i + 1] : NULL;
    return 0;
}

/* One sample of 8 kHz goes through the listener. Words go to the screen, or what is believed most to best, if not NULL. */
static b2s6_status hear(struct speech_listener *l, struct screen *s, struct best *best, int16_t sample)
{
    struct speech_event event;
    b2s6_status status;

    speech_listener_push(l, &sample, 1, &event, &status);
    screen_sample(s, sample);
    if (status != B2S6_OK || !event.stepped)
        return status;
    for (int d = 0; best && d < SPEECH_DIGITS; d++)
        if (l->detector.sums[d] > best->sum) {
            best->digit = d;
            best->sum = l->detector.sums[d];
        }
    if (event.digit >= 0 && !best)
        screen_word(s, (double)event.samples / SPEECH_RATE, event.digit,
                    (double)l->detector.sums[event.digit] / (SPEECH_SMOOTH * SPEECH_BELIEF));
    screen_draw(s, (double)event.samples / SPEECH_RATE, l->beliefs);
    return B2S6_OK;
}

/* The whole stream. What follows it in the last words' place is silence: a word at the very end is heard, too. */
static int listen(struct speech_listener *l, struct sound_file *sound, struct resampler *r, struct screen *s, struct best *best,
                  const char *name)
{
    static int16_t part[256];
    b2s6_status status = B2S6_OK;
    size_t n;
    int16_t out;
    int ready, tail = SPEECH_RATE / 4;

    while (status == B2S6_OK && (n = sound_read(sound, part, sizeof part / sizeof *part)) > 0)
        for (size_t i = 0; status == B2S6_OK && i < n;) {
            i += resampler_push(r, part + i, n - i, &out, &ready);
            if (ready)
                status = hear(l, s, best, out);
        }
    while (status == B2S6_OK && tail-- > 0)
        status = hear(l, s, best, 0);
    screen_end(s);
    if (status != B2S6_OK)
        return fail("%s: %s", name, b2s6_status_text(status));
    if (sound->clipped > sound->taken / 1000)
        fprintf(stderr, "speech: %s: %.1f %% of the samples are at full scale: record it with less gain\n", name,
                100.0 * (double)sound->clipped / (double)sound->taken);
    if (sound_complete(sound))
        return fail("%s: %s", name, sound->reason);
    if (sound->taken == 0)
        return fail("%s: there are no samples in it", name);
    return ferror(stdout) ? fail("standard output cannot be written") : EXIT_SUCCESS;
}

static int with_sound(const struct options *o, FILE *file, b2s6_state *state)
{
    static struct speech_listener listener;
    static struct resampler resampler;
    struct sound_file sound;
    struct screen screen;
    struct best best = { 0, 0 };
    const char *name = o->file ? o->file : "standard input";
    const uint32_t full = SPEECH_SMOOTH * SPEECH_BELIEF;
    b2s6_status status;

    if (sound_open(&sound, file, o->rate, o->channels))
        return fail("%s: %s", name, sound.reason);
    if (resampler_init(&resampler, sound.rate))
        return fail("%s: %lu samples a second: 8000, 16000, 44100 and 48000 are read; convert it first (sox IN -r 16000 OUT)", name,
                    (unsigned long)sound.rate);
    status = speech_listener_init(&listener, state, (uint16_t)(o->threshold ? o->threshold * full / 100 : SPEECH_THRESHOLD));
    if (status != B2S6_OK)
        return fail("%s: %s", o->model, b2s6_status_text(status));
    screen_init(&screen, stdout, o->plain);
    if (listen(&listener, &sound, &resampler, &screen, o->word ? &best : NULL, name))
        return EXIT_FAILURE;
    if (o->word)
        printf("%d\n", best.digit);
    return EXIT_SUCCESS;
}

static int with_model(const struct options *o, FILE *file)
{
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    int result;

    if (b2s6_model_open_file(&model, o->model, NULL, &error) != B2S6_OK)
        return fail("%s: %s", o->model, error.message);
    if (!speech_model_fits(model)) {
        b2s6_model_close(model);
        return fail("%s: not a model of spoken digits: it needs %d features in and %d classes out, one answer a step", o->model,
                    SPEECH_INPUTS, SPEECH_CLASSES);
    }
    if (b2s6_state_create(&state, model, NULL) != B2S6_OK) {
        b2s6_model_close(model);
        return fail("out of memory");
    }
    result = with_sound(o, file, state);
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    return result;
}

int main(int argc, char **argv)
{
    struct options o = { NULL, NULL, SPEECH_RATE, 1, 0, 0, 0 };
    FILE *file = stdin;
    int result = read_options(argc, argv, &o);

    if (result)
        return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (o.file) {
        file = fopen(o.file, "rb");
        if (!file)
            return fail("%s: %s", o.file, strerror(errno));
    }
    result = with_model(&o, file);
    if (o.file)
        fclose(file);
    return result;
}
