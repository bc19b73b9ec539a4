/* traffic.c - made-up events (traffic.h) */
#include "traffic.h"

#include <stdio.h>

#include "layout.h"

static uint64_t next(uint64_t *generator)
{
    uint64_t x = *generator += UINT64_C(0x9e3779b97f4a7c15);  /* splitmix64 */

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

size_t traffic_input_size(const b2s6_model_info *info)
{
    return info->input_kind == B2S6_TOKENS ? 4 : 4 * (size_t)info->input_size;
}

/* Makes a good event bad, in one of four ways. */
static void spoil(const b2s6_model_info *info, unsigned way, struct traffic_event *event)
{
    const float not_finite = (way & 1) ? (float)1e38 * 10 : -(float)1e38 * 10;

    if (way == 0) {
        event->s_size = (size_t)snprintf(event->name, sizeof event->name, "sensor-%u", (unsigned)(event->stream % 1000));
        event->reason = "s is not a stream's number";
    } else if (way == 1) {
        event->x_size--;
        event->reason = b2s6_status_text(B2S6_ERROR_INPUT_KIND);
    } else if (info->input_kind == B2S6_TOKENS) {
        const uint32_t token = way == 2 ? info->input_size : UINT32_C(0xffffffff);

        for (int i = 0; i < 4; i++)
            event->x[i] = (uint8_t)(token >> 8 * i);
        event->reason = b2s6_status_text(B2S6_ERROR_TOKEN);
    } else {
        put_floats(event->x, &not_finite, 1);
        event->reason = b2s6_status_text(B2S6_ERROR_VALUE);
    }
}

void traffic_make(const struct traffic *traffic, uint64_t i, uint8_t *x, struct traffic_event *event)
{
    uint64_t generator = traffic->seed * UINT64_C(0xd1342543de82ef95) + i * UINT64_C(0x2545f4914f6cdd1d);
    const uint64_t choice = next(&generator), busy = (traffic->n_streams + 99) / 100;
    const b2s6_model_info *info = traffic->info;

    event->stream = choice % 8 == 0 ? (choice >> 3) % busy : (choice >> 3) % traffic->n_streams;
    event->partition = layout_partition(event->stream, traffic->n_partitions);
    event->s_size = layout_print_number(event->name, event->stream);
    event->s = event->name;
    event->x = x;
    event->x_size = traffic_input_size(info);
    event->reason = NULL;
    if (info->input_kind == B2S6_TOKENS) {
        const uint64_t token = next(&generator) % info->input_size;

        for (int b = 0; b < 4; b++)
            x[b] = (uint8_t)(token >> 8 * b);
    } else {
        for (size_t f = 0; f < info->input_size; f++) {
            const float value = (float)(next(&generator) >> 40) * (1.0f / 16777216);  /* 0 .. 1 */

            put_floats(x + 4 * f, &value, 1);
        }
    }
    if (traffic->bad && next(&generator) % traffic->bad == 0)
        spoil(info, (unsigned)(next(&generator) % 4), event);
}
