#!/usr/bin/env python3
"""Check files of ListOps sequences (listops.c) against what they should be: check_listops.py test.bin...

An evaluator of its own computes every answer; lengths, depths, numbers of arguments and the shares of digits and operators are
compared with the rules and, within 5 standard errors, with their probabilities. Fails where one is wrong.
"""
import sys

import numpy as np

from train_lra import Data

DEPTH, END = 10, 14


def value(op, v):
    if op == "MED":
        v = sorted(v)
        return v[len(v) // 2] if len(v) % 2 else (v[len(v) // 2 - 1] + v[len(v) // 2]) // 2
    return {"MIN": min(v), "MAX": max(v), "SM": sum(v) % 10}[op]


def evaluate(tokens, counts):
    """The answer; counts[op, arguments] and the greatest depth are noted"""
    open_lists, deepest, answer = [], 0, None
    for t in tokens:
        if 10 <= t < END:
            open_lists.append((t, []))
            deepest = max(deepest, len(open_lists))
            continue
        if t == END:
            op, v = open_lists.pop()
            counts[op - 10, len(v)] += 1
            t = value(("MIN", "MAX", "MED", "SM")[op - 10], v)
        if open_lists:
            open_lists[-1][1].append(t)
        else:
            assert answer is None, "tokens after the end of the list"
            answer = t
    assert not open_lists, "a list without an end"
    return answer, deepest


def check(path):
    data, counts, deepest, wrong = Data(path), np.zeros((4, 16), np.int64), 0, 0
    for i, n in enumerate(data.lengths):
        tokens = data.values[data.first[i]:data.first[i] + n].tolist()
        answer, depth = evaluate(tokens, counts)
        wrong += answer != data.labels[i]
        deepest = max(deepest, depth)
    lists, digits = counts.sum(), int((data.values < 10).sum())
    faults = []
    if wrong:
        faults.append(f"{wrong} wrong answers")
    if deepest > DEPTH - 1:                             # at depth 10 there are digits only
        faults.append(f"a list at depth {deepest}")
    if counts[:, :2].any() or counts[:, 11:].any():
        faults.append("numbers of arguments outside 2 to 10")
    share = counts.sum(1) / lists
    if (abs(share - 0.25) > 5 * (0.1875 / lists) ** 0.5).any():
        faults.append(f"operators {share}")
    kinds = np.bincount(data.values[data.values < 10], minlength=10) / digits
    if (abs(kinds - 0.1) > 5 * (0.09 / digits) ** 0.5).any():
        faults.append(f"digits {kinds}")
    majority = np.bincount(data.labels, minlength=10).max() / len(data.labels)
    print(f"{path}: {len(data.lengths)} sequences, lengths {data.lengths.min()} to {data.lengths.max()}, mean "
          f"{data.lengths.mean():.0f}, deepest list {deepest}, {lists} lists, majority {majority:.3f}: "
          + ("right" if not faults else "WRONG, " + "; ".join(faults)))
    return not faults


if __name__ == "__main__":
    sys.exit(int(not all([check(path) for path in sys.argv[1:]])))
