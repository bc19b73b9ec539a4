#!/usr/bin/env python3
"""The detector of examples/speech/detector.c on stored beliefs: how many words it misses, how often it is wrong, for each threshold.

    speech_detector.py results/b2s6-heard.npz ...       the streams that train_speech.py --listen let the models hear
"""
import sys

import numpy as np

SMOOTH, BELIEF, RELEASE, DEAF = 4, 255, 256, 6
STEP = 256                                      # samples
LATE = 4000                                     # a word may be named until half a second after its end


def words(beliefs, threshold, smooth=SMOOTH, release=RELEASE, deaf_for=DEAF):
    """[(step, digit)] of beliefs (steps, 11), bytes"""
    sums = beliefs[:, 1:].astype(int).cumsum(0)
    sums[smooth:] -= sums[:-smooth].copy()
    best, most = sums.argmax(1), sums.max(1)
    said, deaf, last = [], 0, -1
    for k in range(len(sums)):
        if last >= 0 and sums[k, last] < release:
            last = -1
        if deaf:
            deaf -= 1
        elif most[k] >= threshold and best[k] != last:
            last, deaf = int(best[k]), deaf_for
            said.append((k, last))
    return said


def score(said, rows):
    """Missed and false: a word is found by its digit, once, between its beginning and LATE samples after its end"""
    found, false, at = np.zeros(len(rows), bool), 0, 0
    for k, digit in said:
        now = STEP * (k + 1) + 128              # samples seen after step k
        while at < len(rows) and rows[at, 2] + LATE < now:
            at += 1
        hits = [i for i in range(at, min(at + 3, len(rows))) if rows[i, 1] <= now and rows[i, 0] == digit and not found[i]]
        if hits:
            found[hits[0]] = True
        else:
            false += 1
    return int((~found).sum()), false


def table(path):
    z = np.load(path)
    models = z["test_words"].shape[0]
    print(path)
    for threshold in range(400, 1001, 60):
        line = f"  {threshold:5}"
        for part, m in [("chosen", models - 1)] + [("test", m) for m in range(models - 1)]:
            rows = z[part + "_words_rows"]
            missed, false = score(words(z[part + "_words"][m], threshold), rows)
            line += f"   {part} {100 * missed / len(rows):5.2f} {100 * false / len(rows):5.2f} {len(words(z[part + '_noise'][m], threshold)):4}"
        print(line)


if __name__ == "__main__":
    print("threshold, then for each model: words missed in 100, false in 100 words, false in an hour of noise")
    for path in sys.argv[1:]:
        table(path)
