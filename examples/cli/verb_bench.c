/* verb_bench.c - b2s6 bench: how fast a model is here, beside what the machine allows */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "support/cli.h"
#include "support/machine_options.h"
#include "support/reflow.h"

static const char help[] =
    "usage: b2s6 bench MODEL.b2s6 [--threads N] [--isa NAME] [--json]\n"
    "       b2s6 bench MODEL.b2s6 --against OTHER_LIBRARY.so [--threads N] [--isa NAME]\n"
    "       b2s6 bench --isa list\n"
    "\n"
    "Measures a model: steps of one stream, a run of 512 steps, a batch of 64 streams, the time to open it; and\n"
    "in the same run the machine's own limits, the read bandwidth and the multiply-add peak, so that every figure\n"
    "is also a fraction of what the machine allows. Figures of a busy machine say little: repeat, take medians.\n"
    "Two builds of the library can be compared on a busy machine too: --against takes turns with them.\n"
    "\n"
    "  --threads N   use N threads, 1 to 256 (default: 1)\n"
    "  --isa NAME    use this instruction set instead of the best: see `b2s6 bench --isa list`\n"
    "  --json        one object, for programs\n"
    "  --against LIB how much longer another build of libb2s6 takes, measured in pairs of runs\n";

static void print_text(const bench_result *r)
{
    printf("machine     %zu thread%s, %s: reads %.1f GB/s, multiply-adds %.0f GFLOP/s\n", r->threads, r->threads == 1 ? "" : "s",
           r->isa, r->read_gbs, r->fma_gflops);
    if (r->decode_tps > 0)
        printf("step        %.1f us (median), %.1f us (99 %%); %.0f steps/s, %.0f %% of the limit (reading so much: %.1f GB/s)\n",
               r->step_us_median, r->step_us_p99, r->decode_tps, 100 * r->decode_fraction, r->decode_limit_gbs);
    printf("512 steps   %.0f steps/s, %.0f %% of the limit (multiplying %s: %.0f G operations/s)\n", r->prefill_tps,
           100 * r->prefill_fraction, r->multiply_gops > r->fma_gflops ? "integers" : "floats", r->multiply_gops);
    if (r->batch64_tps > 0)
        printf("64 streams  %.0f steps/s, %.1f times one stream\n", r->batch64_tps, r->batch64_tps / r->decode_tps);
    printf("open        %.3f ms\n", r->open_ms);
    printf("state       %.0f bytes a stream\n", r->state_bytes);
}

static void print_json(const bench_result *r)
{
    printf("{\"threads\": %zu, \"isa\": \"%s\", \"type\": \"%s\", \"read_gbs\": %.3f, \"fma_gflops\": %.2f, "
           "\"decode_limit_gbs\": %.3f, \"multiply_gops\": %.2f, "
           "\"decode_tps\": %.3f, \"decode_fraction\": %.4f, \"prefill_tps\": %.3f, \"prefill_fraction\": %.4f, "
           "\"step_us_median\": %.3f, \"step_us_p99\": %.3f, \"batch64_tps\": %.3f, \"open_ms\": %.4f, "
           "\"state_bytes\": %.0f}\n",
           r->threads, r->isa, cli_type_name(r->type), r->read_gbs, r->fma_gflops, r->decode_limit_gbs, r->multiply_gops,
           r->decode_tps, r->decode_fraction, r->prefill_tps, r->prefill_fraction, r->step_us_median, r->step_us_p99,
           r->batch64_tps, r->open_ms, r->state_bytes);
}

static int list_isas(void)
{
    const char *name;
    for (size_t i = 0; (name = b2s6_isa_name(i)) != NULL; i++)
        printf("%-12s %s\n", name, b2s6_isa_is_available(i) ? "" : "(not on this machine)");
    return 0;
}

static int run(int argc, char **argv)
{
    const char *threads = NULL, *isa = NULL, *against = NULL, *operands[2] = { NULL, NULL };
    int json = 0, failed;
    const cli_option options[] = {
        { "--threads", &threads, NULL }, { "--isa", &isa, NULL }, { "--json", NULL, &json }, { "--against", &against, NULL },
    };
    char line[512];
    message m = { line, sizeof line };
    machine on;
    reflow_rows rows;
    bench_result r;
    int is_list = 0;
    for (int i = 0; i < argc; i++)
        is_list |= strcmp(argv[i], "--isa=list") == 0 || (i && strcmp(argv[i], "list") == 0 && !strcmp(argv[i - 1], "--isa"));
    int status = cli_parse(&verb_bench, argc, argv, options, sizeof options / sizeof options[0], operands,
                           is_list ? 0 : 1);
    if (status)
        return status;
    if (is_list)
        return list_isas();
    if (against && json)
        return cli_usage(&verb_bench, "bench: --against prints a table, without --json");
    status = machine_take(&on, &verb_bench, threads, isa);
    if (status)
        return status;
    if (against)
        failed = bench_against(operands[0], against, thread_pool_parallel(on.pool), isa, stdout, &m);
    else
        failed = bench_model(operands[0], thread_pool_parallel(on.pool), on.n_threads, isa, &r, &m);
    machine_release(&on);
    if (failed)
        return cli_fail("%s", line);
    if (against)
        return 0;
    if (json) {
        print_json(&r);
        return 0;
    }
    reflow_rows_begin(&rows);
    print_text(&r);
    reflow_rows_end(&rows);
    return 0;
}

const cli_verb verb_bench = { "bench", "measure a model's speed beside the machine's limits", help, run };
