#!/usr/bin/env python3
"""Compare the library's scores (answer.c) with PyTorch's in float32: check_answers.py MODEL.safetensors SEQUENCES SCORES [COUNT [FIRST]]

Says how many of COUNT sequences (from FIRST on; all unless given) get the same answer. Sequences of about the same length go through the plain module
together: filling comes after the end of each, where neither direction sees it.
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

import export
from train_lra import Data


def logits(model, tokens, lengths):
    """tokens (batch, L) or features (batch, L, 1), filled after lengths (batch); a bidirectional model that pools over time, layer norm"""
    steps = torch.arange(tokens.shape[1])
    inside = steps < lengths[:, None]
    turn = torch.where(inside, lengths[:, None] - 1 - steps, steps).unsqueeze(-1)       # each sequence from its own end

    def turned(x):
        return x.gather(1, turn.expand_as(x))

    x = model.encoder(tokens)
    for layer in model.layers:
        u = layer.norm(x) if layer.pre else x
        y = layer.unit(u) + turned(layer.unit_rev(turned(u)))
        y = F.glu(layer.out(F.gelu(y)), -1)
        x = x + y if layer.pre else layer.norm(x + y)
    x = model.final_norm(x) * inside.unsqueeze(-1)
    return model.head(x.sum(1) / lengths[:, None])


def main(checkpoint, sequences, scores, count=None, first=0):
    model, data = export.load(checkpoint), Data(sequences)
    first = int(first)
    count = min(int(count or len(data.lengths)), len(data.lengths) - first)
    part = slice(first, first + count)
    theirs = np.fromfile(scores, np.float32).reshape(len(data.lengths), -1)[part]
    ours = np.zeros_like(theirs)
    order = np.argsort(data.lengths[part], kind="stable")
    for chosen in np.array_split(order, -(-count // 32)):
        lengths = data.lengths[first + chosen]
        values = torch.zeros(len(chosen), int(lengths.max()), dtype=torch.long)
        for row, i in zip(values, first + chosen):
            row[:data.lengths[i]] = torch.from_numpy(data.values[data.first[i]:data.first[i] + data.lengths[i]].astype(np.int64))
        if model.cfg["input"]["kind"] == "features":
            values = ((values.float() / 255 - 0.5) / 0.5).unsqueeze(-1)
        with torch.no_grad():
            ours[chosen] = logits(model, values, torch.from_numpy(lengths)).numpy()
    same = (ours.argmax(1) == theirs.argmax(1)).sum()
    labels = data.labels[part]
    print(f"{same} of {count} answers agree; scores differ by at most {abs(ours - theirs).max():.1e} of {abs(ours).max():.1f}; "
          f"PyTorch has {(ours.argmax(1) == labels).sum()} right, the library {(theirs.argmax(1) == labels).sum()}")
    return int(same < 0.999 * count)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
