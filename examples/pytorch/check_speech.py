#!/usr/bin/env python3
"""Check the trainers of spoken digits: the many B2S6 models against b2s6.Model, values and gradients; that models do not mix;
that all kinds are causal; the labels of a batch. Fails aloud."""
import sys

import numpy as np
import torch

import b2s6
import scan_triton
import speech_data as data
import speech_models as models


def distance(a, b):
    return ((a - b).norm() / b.norm().clamp(min=1e-30)).item()


def against_model():
    """Worst relative error of logits and of any gradient, float64"""
    many = models.ManyB2S6([1, 2]).double()
    x = torch.randn(2, 3, 20, models.INPUTS, dtype=torch.float64)
    y = many(x)
    (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).sum().backward()
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    worst, at = 0.0, 0
    for m in range(2):
        one = b2s6.Model(many.cfg).double()
        one.load_state_dict(many.one(m))
        z = one(x[m])
        (z * weights[m]).sum().backward()
        worst, at = max(worst, distance(y[m], z)), 0
        for name, size in zip(many.names, many.sizes):
            worst = max(worst, distance(many.flat.grad[m, at:at + size], dict(one.named_parameters())[name].grad.flatten()))
            at += size
    return worst


def causal_and_apart(kind):
    """A later step, and another model's input, must not change an answer."""
    many = models.KINDS[kind]([1, 2]).eval()
    x = torch.randn(2, 2, 30, models.INPUTS)
    later, other = x.clone(), x.clone()
    later[:, :, 20:] += 1
    other[1] += 1
    with torch.no_grad():
        y, a, b = many(x), many(later), many(other)
    return torch.allclose(y[:, :, :20], a[:, :, :20], atol=1e-6) and not torch.allclose(y[:, :, 20:], a[:, :, 20:], atol=1e-3) \
        and torch.allclose(y[0], b[0], atol=1e-6) and not torch.allclose(y[1], b[1], atol=1e-3)


def labels():
    """One long tone as a word: the allowed classes must follow its length and place."""
    clip = (8000 * np.sin(np.arange(4096) * 0.3)).astype(np.int16)            # 32 frames
    pool = data.Pool([clip], [data.Voices(room=0)], "cpu")
    noises = np.zeros((1, 256, 24), np.float16)
    b = data.Batches(pool, noises, [7], [[0]], [(0, 1)], [0], 2, frames=64, slots=1)
    start, length = torch.tensor([[[10], [0]]]), torch.full((1, 2, 1), 32.0)
    allowed = b.allowed(torch.zeros(1, 2, 1, dtype=torch.long), length, start, torch.ones(1, 2, 1, dtype=torch.bool))[0]
    must = [torch.nonzero(~a[:, 0]).flatten().tolist() for a in allowed]
    may = [torch.nonzero(a[:, 8]).flatten().tolist() for a in allowed]
    return must == [list(range(20, 26)), list(range(15, 21))] and may == [list(range(12, 29)), list(range(7, 24))] \
        and int(allowed[..., 1:].sum()) == sum(map(len, may))


def features():
    """A word of the pool under no change, without noise, against the exact front end"""
    import speech_frontend as frontend
    rng = np.random.default_rng(1)
    clip = np.round(2000 * rng.standard_normal(6000)).astype(np.int16)
    pool = data.Pool([clip], [data.Voices(room=0)], "cpu", seed=5)
    energy, _ = pool.variant(torch.tensor([0]), data.Voices(room=0))
    exact = frontend.log_mel(np.concatenate([clip, np.zeros(12000, np.int16)]))[:40] / 256 + 20
    late = [np.abs(pool.variant(torch.tensor([0]), data.Voices(room=0))[0][0, :40].numpy() - exact).max() for _ in range(12)]
    return min(late) < 0.06                                                     # half of them begin with a hop


def main():
    good = True
    for what, value in [("scan", scan_triton.check("cuda" if torch.cuda.is_available() else "cpu") < 2e-5),
                        ("b2s6 against the module", against_model() < 1e-9), ("labels", labels()), ("features", features())] + \
                       [(kind + " causal and apart", causal_and_apart(kind)) for kind in models.KINDS]:
        print("ok   " if value else "WRONG", what, flush=True)
        good &= bool(value)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
