#!/usr/bin/env python3
"""The tables of docs/performance.md: medians of several runs of `b2s6 bench --json`.

    python3 tests/tools/bench_table.py build/b2s6 MODEL.b2s6 ... [--threads 1 2] [--isa NAME] [--rounds 5]

The runs of all models and thread counts are interleaved, so that a slow minute of the machine falls on all of them.
"""
import argparse
import json
import statistics
import subprocess
import sys

COLUMNS = [
    ("decode/s", "decode_tps", 1), ("of read", "decode_fraction", 2), ("512/s", "prefill_tps", 0), ("of fma", "prefill_fraction", 2),
    ("64 streams/s", "batch64_tps", 0), ("step us", "step_us_median", 1), ("99 %", "step_us_p99", 1), ("open ms", "open_ms", 2),
    ("read GB/s", "read_gbs", 1), ("GFLOP/s", "fma_gflops", 0),
]


def bench(program, model, threads, isa):
    command = [program, "bench", model, "--json", "--threads", str(threads)] + (["--isa", isa] if isa else [])
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--isa")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    results = {}
    for _ in range(arguments.rounds):
        for model in arguments.models:
            for threads in arguments.threads:
                results.setdefault((model, threads), []).append(bench(arguments.program, model, threads, arguments.isa))
    print("| type | isa | threads | " + " | ".join(name for name, _, _ in COLUMNS) + " |")
    print("|---" * (3 + len(COLUMNS)) + "|")
    for (model, threads), runs in results.items():
        cells = ["%.*f" % (digits, statistics.median(run[key] for run in runs)) for _, key, digits in COLUMNS]
        print(f"| {runs[0]['type']} | {runs[0]['isa']} | {threads} | " + " | ".join(cells) + " |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
