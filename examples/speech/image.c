/*
 * image.c - a board hears: a stored stream goes through front end, model and detector, hop by hop, and the words come out
 *
 * All memory is reserved when this is compiled. Every line that the program prints is the same on every machine, but
 * those that
 * begin with '#': what this machine took. The digest is over the beliefs of every step.
 */
#include "examples/firmware/board.h"
#include "examples/firmware/print.h"
#include "listener.h"
#include "speech_model.h"

enum { HEADER = 44, GUARD_BYTES = 64, GUARD = 0xa5 };

/* The stream as a WAV file in flash. */
extern const unsigned char speech_stream[], speech_stream_end[];

/* Handle and state exactly as large as the macros say, with a pattern around them. */
static struct {
    unsigned char before[GUARD_BYTES];
    unsigned char handle[SPEECH_MODEL_HANDLE_SIZE];
    unsigned char between[GUARD_BYTES];
    unsigned char state[(SPEECH_MODEL_STATE_SIZE + 63) / 64 * 64];
    unsigned char after[GUARD_BYTES];
} B2S6_ALIGNED ram;

static struct speech_listener listener;

static int failed(const char *what, b2s6_status status)
{
    print_text(what);
    print_text(" failed: status ");
    print_number((uint32_t)status);
    print_text("\n");
    return 1;
}

static void paint_guards(void)
{
    for (int i = 0; i < GUARD_BYTES; i++)
        ram.before[i] = ram.between[i] = ram.after[i] = GUARD;
}

static int guards_hold(void)
{
    for (int i = 0; i < GUARD_BYTES; i++)
        if (ram.before[i] != GUARD || ram.between[i] != GUARD || ram.after[i] != GUARD)
            return 0;
    return 1;
}

static void print_figure(const char *what, uint64_t value)
{
    if (!value)
        return; /* nobody counts here */
    print_text("# ");
    print_text(what);
    print_text(": ");
    print_number((uint32_t)value);
    print_text("\n");
}

/* What a microphone's interrupt would have left: the hop's samples. */
static void read_hop(const unsigned char *bytes, int16_t *samples)
{
    for (int i = 0; i < SPEECH_HOP; i++)
        samples[i] = (int16_t)(uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
}

/* All hops of the stream. Counts are sums over hops that had only the front end to do, and over those that had a step, too. */
static b2s6_status hear(uint64_t *digest, uint64_t *front_end, uint64_t *with_step)
{
    uint32_t hops = 0, steps = 0;
    uint64_t most = 0;

    for (const unsigned char *at = speech_stream + HEADER; at + 2 * SPEECH_HOP <= speech_stream_end; at += 2 * SPEECH_HOP) {
        int16_t samples[SPEECH_HOP];
        struct speech_event event;
        b2s6_status status;
        uint64_t spent;

        read_hop(at, samples);
        spent = board_instructions();
        speech_listener_push(&listener, samples, SPEECH_HOP, &event, &status);
        spent = board_instructions() - spent;
        if (status != B2S6_OK)
            return status;
        most = spent > most ? spent : most;
        *(event.stepped ? with_step : front_end) += spent;
        hops++;
        if (!event.stepped)
            continue;
        steps++;
        for (int i = 0; i < SPEECH_CLASSES; i++)
            *digest = (*digest ^ listener.beliefs[i]) * UINT64_C(0x100000001b3);
        if (event.digit >= 0) {
            print_number((uint32_t)event.digit);
            print_text(" after sample ");
            print_number((uint32_t)event.samples);
            print_text("\n");
        }
    }
    print_figure("instructions of a hop without a step", *front_end / (hops - steps));
    print_figure("instructions of a hop with a step", *with_step / steps);
    print_figure("instructions a hop", (*front_end + *with_step) / hops);
    print_figure("instructions of the longest hop", most);
    return B2S6_OK;
}

int program(void)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325), front_end = 0, with_step = 0;
    b2s6_model *model;
    b2s6_state *state;
    b2s6_status status = b2s6_self_test();

    if (status)
        return failed("self test", status);
    paint_guards();
    status = b2s6_model_place(&model, ram.handle, sizeof ram.handle, speech_model_model, sizeof speech_model_model, NULL, NULL);
    if (status)
        return failed("open", status);
    status = b2s6_state_place(&state, model, ram.state, SPEECH_MODEL_STATE_SIZE);
    if (status)
        return failed("state", status);
    status = speech_listener_init(&listener, state, SPEECH_THRESHOLD);
    if (status || !speech_model_fits(model))
        return failed("listener", status);
    status = hear(&digest, &front_end, &with_step);
    if (status)
        return failed("step", status);
    print_text("beliefs ");
    print_hex(digest);
    print_text("\n");
    if (board_stack_used()) { /* the same on boards alone: sizes depend on pointers */
        print_figure("bytes of RAM: model handle", SPEECH_MODEL_HANDLE_SIZE);
        print_figure("bytes of RAM: model state", SPEECH_MODEL_STATE_SIZE);
        print_figure("bytes of RAM: listener", sizeof listener);
        print_figure("bytes of RAM: stack, the most", board_stack_used());
        print_figure("bytes of flash: model", SPEECH_MODEL_SIZE);
    }
    if (!guards_hold())
        return failed("the memory around handle and state", B2S6_OK);
    b2s6_model_close(model);
    return 0;
}
