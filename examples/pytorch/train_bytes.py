#!/usr/bin/env python3
"""Train a byte-level B2S6 language model on plain text, on one GPU.

    train_bytes.py train --text train.txt --valid other-heldout.txt --out bytes.safetensors
    train_bytes.py score --model bytes.safetensors --text heldout.txt

Training reads the text as many parallel streams of windows. A stream goes on from the state its last window left, or, with
probability --restart, jumps to a random place and starts from the zero state; so the model learns long streams and
cold starts. Matrices of the projections are trained by Muon (momentum orthogonalised by Newton-Schulz), all else by
AdamW, w, b and A at a reduced rate. The log is one JSON object a line. The defaults are the recipe of the shipped
model (docs/models.md).
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
from torch.nn import functional as F

import export
import fused
from b2s6 import SLOW, Model, config


def configuration(args):
    return config(d_model=args.d_model, d_inner=args.d_inner, n_layers=args.layers, block="mamba", d_conv=4,
                  input={"kind": "tokens", "size": 256}, norm={"kind": "rms", "eps": 1e-5, "place": "pre"},
                  final_norm={"kind": "rms", "eps": 1e-5}, unit={"h": args.h, "d_state": args.n}, pool="none",
                  head={"size": 256, "bias": False, "tied": True})


# ---- optimiser ----------------------------------------------------------------------------------------------

def orthogonal(m, steps=5):
    """Nearest semi-orthogonal matrices of a stack (k, rows >= columns), roughly: a quintic Newton-Schulz iteration"""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = m.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        g = x.transpose(1, 2) @ x
        x = a * x + x @ (b * g + c * (g @ g))
    return x.float()


class Muon:
    """Momentum, orthogonalised. in_proj holds two maps (v and gate) and is treated as two matrices."""

    def __init__(self, model, momentum=0.95):
        self.tall = [layer.in_proj.weight for layer in model.layers]            # (2 d_inner, d_model)
        self.wide = [layer.out_proj.weight for layer in model.layers]           # (d_model, d_inner)
        self.momentum = momentum
        self.moment = torch.zeros_like(self.stack(self.tall, self.wide))

    @staticmethod
    def stack(tall, wide):
        return torch.stack([m for t in tall for m in t.chunk(2, 0)] + [w.t() for w in wide])

    def parameters(self):
        return self.tall + self.wide

    @torch.no_grad()
    def step(self, lr, decay):
        g = self.stack([p.grad for p in self.tall], [p.grad for p in self.wide])
        self.moment.lerp_(g, 1 - self.momentum)
        update = orthogonal(g.lerp(self.moment, self.momentum))
        update *= 0.2 * max(update.shape[1:]) ** 0.5                            # root mean square 0.2, as AdamW's
        halves = 2 * len(self.tall)
        torch._foreach_mul_(self.parameters(), 1 - lr * decay)
        torch._foreach_add_(self.tall, [update[i:i + 2].flatten(0, 1) for i in range(0, halves, 2)], alpha=-lr)
        torch._foreach_add_(self.wide, [u.t() for u in update[halves:]], alpha=-lr)
        for p in self.parameters():
            p.grad = None


def adam_groups(model, args, taken):
    """AdamW's part: w, b and A at a reduced rate, no decay for them and for vectors"""
    slow, vectors, matrices = [], [], []
    taken = {id(p) for p in taken}
    for name, p in model.named_parameters():
        if id(p) in taken:
            continue
        if ".unit" in name and name.rsplit(".", 1)[1] in SLOW:
            slow.append(p)
        else:
            (vectors if p.dim() < 2 or name.endswith("B_bias") else matrices).append(p)
    return [{"params": slow, "scale": args.slow, "weight_decay": 0.0}, {"params": vectors, "scale": 1.0, "weight_decay": 0.0},
            {"params": matrices, "scale": 1.0, "weight_decay": args.decay}]


def rate(step, args):
    """Warm-up, constant, then linear to zero over the last --cooldown of the steps"""
    return min((step + 1) / args.warmup, 1.0, (args.steps - step) / max(1.0, args.cooldown * args.steps))


# ---- text ---------------------------------------------------------------------------------------------------

class Streams:
    """Windows of text for `count` parallel streams"""

    def __init__(self, text, count, length, restart, seed):
        self.text, self.length, self.restart = text, length, restart
        self.random = torch.Generator(device=text.device).manual_seed(seed)
        self.at = torch.zeros(count, dtype=torch.long, device=text.device)
        self.offsets = torch.arange(length + 1, device=text.device)
        self.first = True

    def next(self):
        """Bytes (count, length + 1), and 1 for the streams that go on, 0 for those that start afresh"""
        room = len(self.text) - self.length - 1
        draw = torch.rand(self.at.shape, generator=self.random, device=self.at.device)
        fresh = torch.randint(room, self.at.shape, generator=self.random, device=self.at.device)
        again = (draw < self.restart) | (self.at > room) | self.first
        self.first = False
        self.at = torch.where(again, fresh, self.at)
        window = self.text[self.at.unsqueeze(1) + self.offsets].long()
        self.at = self.at + self.length
        return window, (~again).float()


def load_text(path, device):
    return torch.from_numpy(np.fromfile(path, np.uint8)).to(device)


def kept(state, going):
    """The state of streams that go on; zero for the others"""
    return [(x * going.view(-1, 1, 1, 1), past * going.view(-1, 1, 1).to(past.dtype)) for x, past in state]


@torch.no_grad()
def bits(model, text, piece=0, dtype=torch.float32):
    """Bits per byte of a text read as one stream from the zero state, or in pieces that each start from it.

    The first byte of a stream has nothing before it and counts 8 bits.
    """
    piece, total = piece or len(text), 0.0
    window, count = (16384, 256) if text.is_cuda else (256, 16)                     # a CPU's cache is the limit there
    whole, rest = text[:len(text) // piece * piece].view(-1, piece), text[len(text) // piece * piece:].view(1, -1)
    for rows in [*whole.split(count)] + ([rest] if rest.numel() else []):
        state, rows = None, rows.long()
        total += 8.0 * len(rows)
        for at in range(0, rows.shape[1] - 1, window):
            inputs, targets = rows[:, at:at + window], rows[:, at + 1:at + window + 1]
            inputs = F.pad(inputs, (0, -inputs.shape[1] % 4))
            logits, state = fused.forward(model, inputs, state, dtype)
            logits = logits[:, :targets.shape[1]].float()
            total += F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item() / math.log(2)
    return total / len(text)


# ---- training -----------------------------------------------------------------------------------------------

def save_progress(path, model, muon, adam, step):
    torch.save({"model": model.state_dict(), "moment": muon.moment if muon else None, "adam": adam.state_dict(), "step": step},
               path + ".part")
    os.replace(path + ".part", path)


def train(args):
    torch.manual_seed(args.seed)
    device = args.device
    model = Model(configuration(args)).to(device)
    with torch.no_grad():                       # residual branches start small, the deeper the network the smaller
        for layer in model.layers:
            layer.out_proj.weight.mul_((2 * args.layers) ** -0.5)
    if not fused.supports(model):
        raise SystemExit("the fused kernels do not cover this configuration")
    muon = Muon(model) if args.matrices == "muon" else None
    adam = torch.optim.AdamW(adam_groups(model, args, muon.parameters() if muon else []), lr=0.0, betas=(0.9, args.beta2),
                             eps=1e-10, **({"fused": True} if device == "cuda" else {}))
    text = load_text(args.text, device)
    valid = load_text(args.valid, device)[:args.valid_bytes // 4096 * 4096] if args.valid else None
    streams = Streams(text, args.streams, args.length, args.restart, args.seed)
    count = sum(p.numel() for p in model.parameters())
    log = open(args.log, "a") if args.log else None

    def report(**row):
        line = json.dumps(row)
        print(line, flush=True)
        if log:
            log.write(line + "\n")
            log.flush()

    report(parameters=count, text_bytes=len(text), bytes_a_step=args.streams * args.length, **{
        k: v for k, v in vars(args).items() if k not in ("command", "run")})
    step, state = 0, None
    if args.resume and os.path.exists(args.resume):
        saved = torch.load(args.resume, map_location=device)
        model.load_state_dict(saved["model"])
        adam.load_state_dict(saved["adam"])
        if muon:
            muon.moment.copy_(saved["moment"])
        step = saved["step"]
        streams.random.manual_seed(args.seed + step)
    start, loss_sum, since = time.time(), torch.zeros((), device=device), 0
    begun = step
    while step < args.steps:
        factor = rate(step, args)
        for group in adam.param_groups:
            group["lr"] = args.lr * group["scale"] * factor
        window, going = streams.next()
        logits, state = fused.forward(model, window[:, :-1], kept(state, going) if state else None)
        loss = F.cross_entropy(logits.float().flatten(0, 1), window[:, 1:].flatten())
        loss.backward()
        if muon:
            muon.step(args.muon_lr * factor, args.decay)
        torch.nn.utils.clip_grad_norm_([p for g in adam.param_groups for p in g["params"]], 1.0)
        adam.step()
        adam.zero_grad(set_to_none=True)
        loss_sum += loss.detach()
        since, step = since + 1, step + 1
        if step % args.every == 0 or step == args.steps:
            mean = loss_sum.item() / since / math.log(2)
            seconds = time.time() - start
            report(step=step, bytes=step * args.streams * args.length, bpb=round(mean, 4), seconds=round(seconds, 1),
                   bytes_a_second=round((step - begun) * args.streams * args.length / seconds), rate=round(factor, 4))
            loss_sum.zero_()
            since = 0
            if not math.isfinite(mean):
                raise SystemExit("the loss is not finite")
        if args.valid_every and (step % args.valid_every == 0 or step == args.steps):
            report(step=step, valid=round(bits(model, valid, 4096 * 8, dtype=torch.bfloat16), 4))
        if args.resume and step % args.save_every == 0:
            save_progress(args.resume, model, muon, adam, step)
    if args.resume:
        save_progress(args.resume, model, muon, adam, step)
    if args.out:
        export.save(model, args.out, task="byte-level language model")
    return model


def score(args):
    if args.device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
    model = export.load(args.model).to(args.device)
    text = load_text(args.text, args.device)
    start = time.time()
    one = bits(model, text)
    print(json.dumps({"bytes": len(text), "stream": round(one, 5), "pieces_4096": round(bits(model, text, 4096), 5),
                      "seconds": round(time.time() - start, 1)}), flush=True)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = p.add_subparsers(dest="command", required=True)
    t = commands.add_parser("train")
    t.set_defaults(run=train)
    t.add_argument("--text", required=True)
    t.add_argument("--valid", help="text for the validation figures in the log")
    t.add_argument("--valid-bytes", type=int, default=1 << 20)
    t.add_argument("--valid-every", type=int, default=0)
    t.add_argument("--out", help="checkpoint to write (safetensors)")
    t.add_argument("--log", help="append the log to this file")
    t.add_argument("--resume", help="progress file: written while training, read when it exists")
    t.add_argument("--save-every", type=int, default=2000)
    t.add_argument("--every", type=int, default=500)
    t.add_argument("--d-model", type=int, default=256)
    t.add_argument("--d-inner", type=int, default=512)
    t.add_argument("--layers", type=int, default=8)
    t.add_argument("--h", type=int, default=8)
    t.add_argument("--n", type=int, default=8, help="complex states a channel (conjugate pairs)")
    t.add_argument("--streams", type=int, default=64)
    t.add_argument("--length", type=int, default=1024)
    t.add_argument("--restart", type=float, default=0.15)
    t.add_argument("--steps", type=int, default=11800)
    t.add_argument("--warmup", type=int, default=100)
    t.add_argument("--cooldown", type=float, default=0.6)
    t.add_argument("--matrices", choices=("muon", "adamw"), default="muon")
    t.add_argument("--muon-lr", type=float, default=6e-3)
    t.add_argument("--lr", type=float, default=4e-3)
    t.add_argument("--slow", type=float, default=0.25, help="rate of w, b and A as a part of --lr")
    t.add_argument("--decay", type=float, default=0.05)
    t.add_argument("--beta2", type=float, default=0.98)
    t.add_argument("--seed", type=int, default=0)
    s = commands.add_parser("score")
    s.set_defaults(run=score)
    s.add_argument("--model", required=True)
    s.add_argument("--text", required=True)
    for c in (t, s):
        c.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return p.parse_args()


def main():
    args = arguments()
    args.run(args)


if __name__ == "__main__":
    main()
