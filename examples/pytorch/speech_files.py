#!/usr/bin/env python3
"""Write the files that tests and demo of the spoken digits read: clips and a stream (examples/speech/clips), frames (tests/speech).

    speech_files.py ROOT        ROOT: the repository
"""
import os
import sys

import numpy as np

import speech_frontend as frontend
import speech_sounds as sounds


def generated(n=80000):
    """What tests/test_speech.c makes, too: a linear congruential generator, loud, soft, full scale, silent in turn"""
    out, x = np.zeros(n, np.int64), 1
    for i in range(n):
        x = (x * 1664525 + 1013904223) & 0xffffffff
        s = (x >> 16) - 32768
        part = i // 2000 % 5
        out[i] = [s, s // 64, 32767 if s >= 0 else -32768, 0, -32768][part]
    return out.astype(np.int16)


def fnv(data):
    h = 0xcbf29ce484222325
    for b in data:
        h = (h ^ b) * 0x100000001b3 & 0xffffffffffffffff
    return h


def main():
    root = sys.argv[1]
    clips, label, speaker, index = sounds.clips()
    chosen = [next(i for i in range(len(clips)) if label[i] == d and speaker[i] == (d + late) % 6 and index[i] == 0)
              for late in (0, 3) for d in range(10)]
    folder = os.path.join(root, "examples/speech/clips")
    for i in chosen[:10]:
        sounds.write_wav(os.path.join(folder, f"{label[i]}_{sounds.SPEAKERS[speaker[i]]}_{index[i]}.wav"), clips[i])
    samples, rows = sounds.word_stream([clips[i] for i in chosen], label[chosen], np.random.default_rng(7), gap=(0.3, 0.8))
    samples = samples[:len(samples) // 256 * 256]
    sounds.write_wav(os.path.join(folder, "stream.wav"), samples)
    with open(os.path.join(folder, "stream.txt"), "w") as f:
        f.writelines(f"{d} {a / 8000:.3f} {b / 8000:.3f}\n" for d, a, b in rows)
    bands = frontend.log_mel(generated())
    bands[:40].astype("<i2").tofile(os.path.join(root, "tests/speech/bands.bin"))
    print(f"{len(bands)} frames, digest {fnv(bands.astype('<i2').tobytes()):#018x}")
    whole = frontend.log_mel(samples)
    print(f"stream: {len(samples)} samples, {len(whole)} frames, digest {fnv(whole.astype('<i2').tobytes()):#018x}")


if __name__ == "__main__":
    main()
