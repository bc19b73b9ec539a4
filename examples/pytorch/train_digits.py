#!/usr/bin/env python3
"""Train a causal B2S6 classifier on scikit-learn's handwritten digits, read pixel by pixel.

    train_digits.py --out digits.safetensors            train and write the checkpoint
    train_digits.py --evaluate digits.safetensors       evaluate a checkpoint on the held-out fifth
    train_digits.py --test-images digits-test.bin       write the held-out images and labels for other programs

An image is a sequence of 64 scalars (row by row, value / 16). The held-out fifth is `split(...)`'s second part; it is
evaluated once, after training, and never used to choose anything. To compare recipes use --validate, which
holds out a fifth of the training part instead. Needs numpy, scikit-learn and torch.
"""
import argparse
import math
import struct
import time

import numpy as np
import torch
from torch.nn import functional as F

import export
from b2s6 import Model, config, parameter_groups

SIDE, CLASSES, WHITE = 8, 10, 16


def digits():
    """Pixels (1797, 64) of values 0..16 and labels (1797)"""
    from sklearn.datasets import load_digits
    d = load_digits()
    return d.data.astype(np.uint8), d.target.astype(np.int64)


def split(count, seed=0):
    """Indices of the training part and of the fifth held out; RandomState's sequence is frozen by NumPy."""
    order = np.random.RandomState(seed).permutation(count)
    return order[count // 5:], order[:count // 5]


def write_test_images(path):
    pixels, labels = digits()
    _, test = split(len(labels))
    with open(path, "wb") as f:
        f.write(b"B2S6DIGT" + struct.pack("<5I", 1, len(test), SIDE, SIDE, CLASSES))
        f.write(pixels[test].tobytes() + labels[test].astype(np.uint8).tobytes())


def as_sequence(pixels):
    """(N, 64) pixel values -> (N, 64, 1) features"""
    return torch.from_numpy(pixels.astype(np.float32) / WHITE).unsqueeze(-1)


def jitter(x, generator, amount, turn=0.2, stretch=0.12, shift=0.8):
    """Every image under its own small affine map: turn in radians, stretch as a ratio, shift in pixels."""
    turn, stretch, shift = amount * turn, amount * stretch, amount * shift

    def uniform(limit):
        return ((torch.rand(len(x), generator=generator) * 2 - 1) * limit).to(x.device)

    angle, sx, sy = uniform(turn), 1 + uniform(stretch), 1 + uniform(stretch)
    shear = uniform(turn)
    cos, sin = torch.cos(angle), torch.sin(angle)
    step = 2 / SIDE                                                 # a pixel in grid_sample's coordinates
    rows = [torch.stack([cos * sx, (shear - sin) * sx, uniform(shift) * step], -1),
            torch.stack([sin * sy, cos * sy, uniform(shift) * step], -1)]
    grid = F.affine_grid(torch.stack(rows, 1), (len(x), 1, SIDE, SIDE), align_corners=False)
    return F.grid_sample(x.view(-1, 1, SIDE, SIDE), grid, align_corners=False).view(x.shape)


def configuration(args):
    unit = {"h": 8, "d_state": 8}
    if args.s6:                                 # Mamba's unit: one block, no bias, real poles a channel, low-rank steps
        unit.update(h=1, b_bias=False, delta="lowrank", dt_rank=2, a_scope="channel", discretization="euler")
    if args.no_b_bias:
        unit["b_bias"] = False
    if args.real or args.s6:                    # twice the states: as many real numbers as the complex unit has
        unit.update(complex=False, conjugate=False, d_state=16)
    return config(d_model=args.width, n_layers=3, input={"kind": "features", "size": 1}, unit=unit,
                  norm={"kind": args.norm, "place": "pre"}, final_norm={"kind": args.final_norm},
                  pool=args.pool, head={"size": CLASSES})


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(256)]).cpu()


def train(model, x, y, args):
    """AdamW, one cosine over all epochs after a short warm-up; the last weights are the result."""
    generator = torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.AdamW(parameter_groups(model, args.lr, args.slow_lr, args.weight_decay))
    batches = math.ceil(len(x) / args.batch)
    total, warm = args.epochs * batches, 2 * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(
        (step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * max(0, step - warm) / (total - warm))))
    start = time.time()
    for epoch in range(args.epochs):
        model.train()
        loss_sum = 0.0
        for index in torch.randperm(len(x), generator=generator).split(args.batch):
            index = index.to(x.device)
            loss = F.cross_entropy(model(jitter(x[index], generator, args.jitter)), y[index], label_smoothing=args.smoothing)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            loss_sum += loss.item() * len(index)
        if (epoch + 1) % 10 == 0 or epoch == 0:
            print(f"epoch {epoch + 1:4}  loss {loss_sum / len(x):.4f}  {time.time() - start:.0f} s", flush=True)


def report(name, logits, labels):
    guess = logits.argmax(-1)
    wrong = (guess != labels).nonzero().flatten().tolist()
    print(f"{name}: {len(labels) - len(wrong)} of {len(labels)} right, {100 - 100 * len(wrong) / len(labels):.2f} %")
    pairs = [f"{labels[i].item()} read as {guess[i].item()} (image {i})" for i in wrong]
    if 0 < len(pairs) <= 20:
        print("  " + ", ".join(pairs))


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", help="checkpoint to write (safetensors)")
    p.add_argument("--predictions", help="write float32 logits and predictions of the held-out images (npz)")
    p.add_argument("--test-images", help="write the held-out images and labels, and stop")
    p.add_argument("--evaluate", metavar="CHECKPOINT", help="evaluate this instead of training")
    p.add_argument("--validate", action="store_true", help="evaluate on a fifth of the training part instead")
    p.add_argument("--epochs", type=int, default=200)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--slow-lr", type=float, default=0.004, help="rate of A, w and b")
    p.add_argument("--weight-decay", type=float, default=0.02)
    p.add_argument("--smoothing", type=float, default=0.05, help="label smoothing")
    p.add_argument("--dropout", type=float, default=0.0)
    p.add_argument("--jitter", type=float, default=1.0, help="strength of the random affine maps")
    p.add_argument("--norm", choices=("batch", "layer", "rms"), default="layer")
    p.add_argument("--final-norm", choices=("batch", "layer", "rms", "none"), default="none")
    p.add_argument("--pool", choices=("mean", "last"), default="mean")
    p.add_argument("--steps", type=float, nargs=2, default=(0.03, 0.5), help="range of the initial delta")
    p.add_argument("--width", type=int, default=32, help="d_model")
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--no-b-bias", action="store_true", help="ablation: no bias on B")
    p.add_argument("--real", action="store_true", help="ablation: real parameters and states")
    p.add_argument("--s6", action="store_true", help="ablation: Mamba's unit, S6")
    return p.parse_args()


def trained(args, x, y):
    torch.manual_seed(args.seed)
    model = Model(configuration(args), dropout=args.dropout)
    for layer in model.layers:
        layer.unit.reset_parameters(*args.steps)
    model.to(args.device)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(x)} training images")
    train(model, x, y, args)
    report("training", predict(model, x), y.cpu())
    return model


def main():
    args = arguments()
    if args.test_images:
        return write_test_images(args.test_images)
    pixels, labels = digits()
    fit, test = split(len(labels))
    if args.validate:
        inner, held = split(len(fit), seed=1)
        fit, test = fit[inner], fit[held]
    if args.evaluate:
        model = export.load(args.evaluate).to(args.device)
    else:
        model = trained(args, as_sequence(pixels[fit]).to(args.device), torch.from_numpy(labels[fit]).to(args.device))
    logits = predict(model, as_sequence(pixels[test]).to(args.device))
    report("validation" if args.validate else "held out", logits, torch.from_numpy(labels[test]))
    if args.out:
        export.save(model, args.out, task="UCI handwritten digits, 8x8 pixels / 16 read row by row")
    if args.predictions:
        np.savez(args.predictions, logits=logits.numpy(), predictions=logits.argmax(-1).numpy(), labels=labels[test])


if __name__ == "__main__":
    main()
