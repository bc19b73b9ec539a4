#!/usr/bin/env python3
"""Check files of Pathfinder images (pathfinder.c) against what they should be: check_pathfinder.py test.bin...

Reads the snakes beside each file (test.snakes) and, with geometry of its own in floating point: solves every image (the marked ends
are those of one snake, or not), measures paddles, gaps, turns, borders and distances between snakes, draws the first 500 images once
more, and looks whether something simpler than the snakes gives the answer away: its shares, the distance between the discs, the
grey of the image, and the grey of each pixel. Fails where something is wrong; of what is a share, beyond 5 standard errors.
"""
import sys

import numpy as np

from train_lra import Data

SIDE, TURN = 32, 3 * 14 * 360 / 256 + 0.01
POINTS = np.linspace(0, 2, 9)                           # along a paddle, for distances: a quarter of a pixel apart


def snakes(path):
    """Marked ends (count, 2); of every paddle its first end (count, paddles, 2), direction (count, paddles) and snake (paddles)"""
    with open(path, "rb") as f:
        raw = np.frombuffer(f.read(), np.uint8)
    if raw[:8].tobytes() != b"B2S6SNAK":
        raise SystemExit(f"{path}: not a file of snakes")
    version, count, contour, distractors, short = raw[8:28].view("<u4")
    owner = np.repeat(np.arange(2 + distractors), [contour, contour] + [short] * distractors)
    rows = raw[28:].reshape(count, 2 + 5 * len(owner))
    paddles = np.ascontiguousarray(rows[:, 2:]).reshape(count, -1, 5)
    at = (paddles[..., 0::2][..., :2].astype(int) + 256 * paddles[..., 1:4:2].astype(int)) / 256
    return rows[:, :2].astype(int), at, paddles[..., 4] / 256 * 2 * np.pi, owner


def draw(ends, at, turn, marked):
    """The image (32, 32) once more, with 16 points a pixel"""
    grid = (np.arange(4 * SIDE) + 0.5) / 4
    x, y = np.meshgrid(grid, grid)

    def shares(inside):
        return np.floor(inside.reshape(SIDE, 4, SIDE, 4).sum((1, 3)))

    out = np.zeros((SIDE, SIDE))
    for (px, py), a in zip(at, turn):
        dx, dy = x - px, y - py
        along, across = dx * np.cos(a) + dy * np.sin(a), dy * np.cos(a) - dx * np.sin(a)
        out = np.maximum(out, shares((along >= 0) & (along <= 2) & (abs(across) <= 0.25)) * 191 / 16)
    for px, py in ends[marked]:
        out = np.maximum(out, shares((x - px) ** 2 + (y - py) ** 2 <= 2.25) * 255 / 16)
    return np.floor(out)


def simple_cues(images, labels, apart):
    """Accuracies of guesses from simpler things, fitted on the first half and counted on the second"""
    half = len(labels) // 2                             # the first half fits
    near = apart[:half, None] < np.linspace(3, 40, 75)
    best = (near == labels[:half, None]).mean(0)
    side = abs(best - 0.5).argmax()
    guess = (apart[half:] < np.linspace(3, 40, 75)[side]) == (best[side] > 0.5)
    x = np.concatenate([images.reshape(len(labels), -1) / 255, np.ones((len(labels), 1))], 1)
    w = np.linalg.solve(x[:half].T @ x[:half] + half * 1e-2 * np.eye(x.shape[1]), x[:half].T @ (labels[:half] - 0.5))
    return (guess == labels[half:]).mean(), ((x[half:] @ w > 0) == labels[half:]).mean()


def distances(at, turn, owner):
    """Smallest distance of paddles of different snakes, and of one snake but neighbours; (count) each"""
    direction = np.stack([np.cos(turn), np.sin(turn)], -1)
    points = at[:, :, None] + POINTS[:, None] * direction[:, :, None]               # (count, paddles, points, 2)
    other, same = np.full(len(at), 99.0), np.full(len(at), 99.0)
    for i in range(len(owner)):
        d = np.linalg.norm(points[:, i, None, :, None] - points[:, i + 1:, None], axis=-1).min((2, 3))
        mine = owner[i + 1:] == owner[i]
        other = np.minimum(other, d[:, ~mine].min(1, initial=99.0))
        same = np.minimum(same, d[:, np.flatnonzero(mine)[1:]].min(1, initial=99.0))
    return other, same


def check(path):
    data = Data(path)
    marked, at, turn, owner = snakes(path[:-4] + ".snakes")
    count, labels = len(data.labels), data.labels.astype(bool)
    images = data.values.reshape(count, SIDE, SIDE)
    direction = np.stack([np.cos(turn), np.sin(turn)], -1)
    last = at + 2 * direction
    long = [np.flatnonzero(owner == s) for s in (0, 1)]
    ends = np.stack([at[:, long[0][0]], last[:, long[0][-1]], at[:, long[1][0]], last[:, long[1][-1]]], 1)
    faults = []

    def expect(ok, what):
        if not np.all(ok):
            faults.append(what)

    expect((marked[:, 0] // 2 == marked[:, 1] // 2) == labels, "answers that are not the snakes'")
    expect(marked[:, 0] != marked[:, 1], "an end marked twice")
    expect(data.lengths == SIDE * SIDE, "lengths")
    expect(abs(labels.mean() - 0.5) < 2.5 * count ** -0.5, f"share of one snake {labels.mean():.4f}")
    joint = np.flatnonzero(owner[1:] == owner[:-1])
    gap = np.linalg.norm(at[:, joint + 1] - last[:, joint], axis=-1)
    expect(abs(gap - 1) < 0.03, f"gaps of {gap.min():.2f} to {gap.max():.2f}")
    bend = np.degrees((turn[:, joint + 1] - turn[:, joint] + np.pi) % (2 * np.pi) - np.pi)
    expect(abs(bend) < TURN, f"turns of up to {abs(bend).max():.1f} degrees")
    expect(min(at.min(), last.min()) > 0.97, "a paddle at the border")
    expect(max(at.max(), last.max()) < SIDE - 0.97, "a paddle at the border")
    some = slice(0, min(count, 2000))
    other, same = distances(at[some], turn[some], owner)
    expect(other > 1.9, f"two snakes {other.min():.2f} apart")          # the generator's points are twice as far apart
    expect(same > 1.9, f"a snake {same.min():.2f} from itself")
    wrong = worst = 0
    for i in range(min(count, 500)):
        difference = abs(draw(ends[i], at[i], turn[i], marked[i]) - images[i])
        wrong, worst = wrong + (difference > 24).sum(), max(worst, int(difference.max()))       # two points on an edge
    expect(wrong < 0.001 * 1024 * min(count, 500), f"{wrong} pixels drawn otherwise, by up to {worst}")
    index = np.arange(count)
    apart = np.linalg.norm(ends[index, marked[:, 0]] - ends[index, marked[:, 1]], axis=-1)
    cues = simple_cues(images, labels, apart)
    expect(cues[1] < 0.5 + 5 * 0.5 * (count / 2) ** -0.5, f"a linear classifier of pixels has {cues[1]:.3f}")
    grey = images.reshape(count, -1).mean(1)
    expect(abs(grey[labels].mean() - grey[~labels].mean()) < 5 * grey.std() * 2 * count ** -0.5, "the grey gives answers away")
    print(f"{path}: {count} images, {labels.mean():.4f} of one snake, all solved from the snakes; turns {abs(bend).std():.1f} degrees, "
          f"snakes at least {other.min():.2f} apart, {wrong} pixels of {1024 * min(count, 500)} drawn otherwise; discs {apart[labels].mean():.1f} "
          f"apart on one snake, {apart[~labels].mean():.1f} on two: that alone gives {cues[0]:.3f}, pixels linearly {cues[1]:.3f}: "
          + ("right" if not faults else "WRONG, " + "; ".join(faults)))
    return not faults


if __name__ == "__main__":
    sys.exit(int(not all([check(path) for path in sys.argv[1:]])))
