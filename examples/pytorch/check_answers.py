#!/usr/bin/env python3
"""Compare the library's scores (answer.c) with PyTorch's in float32: check_answers.py MODEL.safetensors SEQUENCES SCORES [COUNT]

Says how many of the first COUNT sequences get the same answer. Sequences of about the same length go through the plain module
together: filling comes after the end of each, where neither direction sees it.
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

import export
from train_lra import Data


def logits(model, tokens, lengths):
    """tokens (batch, L), filled after lengths (batch); a bidirectional model that pools over time, layer norm"""
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


def main(checkpoint, sequences, scores, count=None):
    model, data = export.load(checkpoint), Data(sequences)
    count = min(int(count or len(data.lengths)), len(data.lengths))
    theirs = np.fromfile(scores, np.float32).reshape(len(data.lengths), -1)[:count]
    ours = np.zeros_like(theirs)
    order = np.argsort(data.lengths[:count], kind="stable")
    for chosen in np.array_split(order, -(-count // 32)):
        tokens = torch.zeros(len(chosen), int(data.lengths[chosen].max()), dtype=torch.long)
        for row, i in zip(tokens, chosen):
            row[:data.lengths[i]] = torch.from_numpy(data.values[data.first[i]:data.first[i] + data.lengths[i]].astype(np.int64))
        with torch.no_grad():
            ours[chosen] = logits(model, tokens, torch.from_numpy(data.lengths[chosen])).numpy()
    same = (ours.argmax(1) == theirs.argmax(1)).sum()
    print(f"{same} of {count} answers agree; scores differ by at most {abs(ours - theirs).max():.1e} of {abs(ours).max():.1f}; "
          f"PyTorch has {(ours.argmax(1) == data.labels[:count]).sum()} right, the library {(theirs.argmax(1) == data.labels[:count]).sum()}")
    return int(same < 0.999 * count)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
