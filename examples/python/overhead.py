"""How long a step takes in Python beyond the library's own time: python3 overhead.py MODEL.b2s6

The library's time is that of the same calls by a C program, compiled here with cc against the library of the package. Both are
the fastest of many rounds of 200 steps that take turns, so that a busy machine disturbs them little. Exits with 1 where the
difference is 3 microseconds or more.
"""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np

import b2s6

C = r"""
#define _POSIX_C_SOURCE 200809L
#include "b2s6.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

/* Prints the microseconds of one step whenever a line comes in. */
int main(int argc, char **argv)
{
    b2s6_model *model;
    b2s6_state *state;
    b2s6_model_info info = { .struct_size = sizeof info };
    if (argc != 2 || b2s6_model_open_file(&model, argv[1], NULL, NULL) != B2S6_OK ||
        b2s6_state_create(&state, model, NULL) != B2S6_OK || b2s6_model_describe(model, &info) != B2S6_OK)
        return 1;
    float *features = calloc(info.input_size, sizeof *features), *row = calloc(info.output_size, sizeof *row);
    if (!features || !row)
        return 1;
    while (getchar() != EOF) {
        double begin = now();
        for (int i = 0; i < 200; i++)
            if ((info.input_kind == B2S6_TOKENS ? b2s6_step_token(state, 0, row, info.output_size)
                 : b2s6_step_features(state, features, info.input_size, row, info.output_size)) != B2S6_OK)
                return 1;
        printf("%.4f\n", (now() - begin) / 200);
        fflush(stdout);
    }
    return 0;
}
"""


def compiled(folder: str) -> str:
    program, library = os.path.join(folder, "steps"), os.path.dirname(b2s6.__file__)
    tree = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(program + ".c", "w") as file:
        file.write(C)
    subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-O2", "-I", tree, "-o", program, program + ".c",
                    os.path.join(library, "libb2s6.so"), "-Wl,-rpath," + folder], check=True)
    soname = f"libb2s6.so.{'.'.join(b2s6.__version__.split('.')[:2])}"
    os.symlink(os.path.join(library, "libb2s6.so"), os.path.join(folder, soname))
    return program


def python_round(state: b2s6.State, value: object) -> float:
    begin = time.perf_counter()
    for _ in range(200):
        state.step(value)
    return (time.perf_counter() - begin) / 200 * 1e6


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, b2s6.Model.open(sys.argv[1]) as model, model.state() as state:
        value = 0 if model.input_kind == b2s6.InputKind.TOKENS else np.zeros(model.input_size, np.float32)
        in_python, in_c = [], []
        command = [compiled(folder), sys.argv[1]]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as steps:
            for _ in range(300):
                print(file=steps.stdin, flush=True)
                in_c.append(float(steps.stdout.readline()))
                in_python.append(python_round(state, value))
            steps.stdin.close()
    overhead = min(in_python) - min(in_c)
    print(f"a step: {min(in_python):.2f} us in Python, {min(in_c):.2f} us in C, overhead {overhead:.2f} us")
    return overhead >= 3


if __name__ == "__main__":
    sys.exit(main())
