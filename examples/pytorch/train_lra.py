#!/usr/bin/env python3
"""Train B2S6 on a task of the Long Range Arena (ListOps, Pathfinder), on one GPU or several of one machine.

    cc -O2 -o listops listops.c && ./listops 0 data
    train_lra.py train --data data --out listops.safetensors --progress progress.pt --log train.log
    train_lra.py speed                                 tokens a second of the stack, and where they go

The recipe is the paper's as far as it is known (docs/paper.md): bidirectional s4 blocks, batch norm after the residual, AdamW, a
reduced rate for A, w and b, warm-up and cosine. A step takes --rows rows of each GPU, filled with whole sequences in random
order. --progress is written every --save-every seconds and read when it exists, so a run may be stopped (--seconds) and goes on
where it was. The rate falls over --steps steps, or over --total seconds of training. The log is one JSON object a line.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.distributed as dist

import export
import lra
from b2s6 import Model, config

TASKS = {
    "listops": {"input": {"kind": "tokens", "size": 15}, "classes": 10, "layers": 8, "d_model": 128, "place": "post"},
    "pathfinder": {"input": {"kind": "features", "size": 1}, "classes": 2, "layers": 6, "d_model": 256, "place": "pre"},
}


def configuration(args):
    task = TASKS[args.task]
    norm = {"kind": args.norm, "eps": 1e-5, "place": args.place or task["place"]}
    unit = {"h": args.h, "d_state": args.n, "b_bias": not args.no_b_bias}
    if args.unit == "s4d":                      # B, C and delta do not look at the input
        unit.update(b_weight=False, b_bias=True, c="constant", delta="constant")
    if args.unit == "s6":                       # one block, no bias, real
        unit.update(h=1, b_bias=False, complex=False, conjugate=False)
    final = {"kind": "none" if norm["place"] == "post" else args.norm, "eps": 1e-5}
    return config(d_model=args.d_model or task["d_model"], n_layers=args.layers or task["layers"], bidirectional=True,
                  input=task["input"], norm=norm, final_norm=final, unit=unit, pool="mean", head={"size": task["classes"]})


# ---- data ---------------------------------------------------------------------------------------------------

class Data:
    """Sequences of bytes with their lengths and answers, as listops.c and pathfinder.c write them"""

    def __init__(self, path):
        with open(path, "rb") as f:
            raw = np.frombuffer(f.read(), np.uint8)
        if raw[:8].tobytes() not in (b"B2S6LOPS", b"B2S6PATH"):
            raise SystemExit(f"{path}: not a file of sequences")
        version, count, total = raw[8:20].view("<u4")
        if version != 1:
            raise SystemExit(f"{path}: version {version}, not 1")
        self.lengths = raw[20:20 + 4 * count].view("<u4").astype(np.int64)
        self.labels = raw[20 + 4 * count:20 + 5 * count]
        self.values = raw[20 + 5 * count:20 + 5 * count + total]
        self.first = np.concatenate([[0], np.cumsum(self.lengths)])[:-1]

    def rows(self, chosen, rows):
        """The chosen sequences' values, one after the other, then zeros"""
        out, at = np.zeros(rows, np.uint8), 0
        for i in chosen:
            n = self.lengths[i]
            out[at:at + n] = self.values[self.first[i]:self.first[i] + n]
            at += n
        return out


def batches(data, rows, order, most=1 << 30):
    """Cut an order of sequences into batches that fill at most `rows` rows with at most `most` sequences"""
    out, now, used = [], [], 0
    for i in order:
        if used + data.lengths[i] > rows or len(now) == most:
            out.append(now)
            now, used = [], 0
        now.append(i)
        used += data.lengths[i]
    return out + ([now] if now else [])


def on_host(data, chosen, rows, kind):
    values = torch.from_numpy(data.rows(chosen, rows))
    if kind == "features":
        values = ((values.float() / 255 - 0.5) / 0.5).unsqueeze(-1)
    return values, torch.from_numpy(data.labels[chosen].astype(np.int64))


def accuracy(stack, data, args):
    kind = stack.cfg["input"]["kind"]
    right = 0
    for chosen in batches(data, args.rows, np.argsort(data.lengths, kind="stable")):
        inputs, labels = on_host(data, chosen, args.rows, kind)
        batch = lra.Batch(data.lengths[chosen], args.rows, stack.device, min(args.segment or 1024, 1024))
        right += (stack.logits(inputs.to(stack.device), batch).argmax(-1).cpu() == labels).sum()
    return int(right) / len(data.labels)


# ---- optimiser ----------------------------------------------------------------------------------------------

class AdamW:
    """On the stack's one buffer; every number has its own part of the rate, and its decay"""

    def __init__(self, stack, args):
        self.stack, self.betas, self.eps = stack, (0.9, args.beta2), 1e-8
        self.rate, self.decay = stack.groups(args.slow, args.decay)
        self.decay *= self.rate
        self.mean, self.square, self.count = torch.zeros_like(stack.flat), torch.zeros_like(stack.flat), 0

    def step(self, lr, clip):
        g, (b1, b2) = self.stack.gradient, self.betas
        norm = g.norm()
        g.mul_((clip / (norm + 1e-6)).clamp(max=1.0))
        self.count += 1
        self.mean.lerp_(g, 1 - b1)
        self.square.lerp_(g * g, 1 - b2)
        scale = (1 - b2 ** self.count) ** 0.5
        update = self.mean / (self.square.sqrt() / scale + self.eps) / (1 - b1 ** self.count)
        self.stack.flat.sub_(lr * (self.rate * update + self.decay * self.stack.flat))
        return norm


def factor(step, progress, args):
    """The rate as a part of the whole: warm-up, then a cosine to zero; progress from 0 to 1"""
    return min(1.0, (step + 1) / args.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)))


class Stage:
    """A part of the training: its sequences in random order, epoch by epoch, and the captured step for their shapes"""

    def __init__(self, stack, data, args, rank, world, rows, sequences):
        self.stack, self.data, self.args, self.rank, self.world = stack, data, args, rank, world
        self.rows, self.sequences, self.epoch, self.at, self.todo = rows, sequences, 0, 0, None
        self.kind = stack.cfg["input"]["kind"]
        self.replay = None

    def replays(self):
        if self.replay is None:
            chosen = self.next()
            lengths = self.data.lengths[chosen]
            given = (*on_host(self.data, chosen, self.rows, self.kind), lengths)

            def make(segment):
                return lra.Replay(self.stack, self.rows, self.sequences, segment, lengths, self.args.smoothing)

            def seconds(segment):
                replay = make(segment)
                for count in (2, 10):
                    torch.cuda.synchronize()
                    start = time.time()
                    for _ in range(count):
                        replay(given[0], given[2], given[1])
                    torch.cuda.synchronize()
                return (time.time() - start) / 10

            segment, running = self.args.segment, self.stack.running.clone()
            if segment == 0:
                tried = {s: seconds(s) for s in (1 << 30, 1024, 640, 400, 256)}
                segment = min(tried, key=tried.get)
                print(json.dumps({"segment": segment, "tried": {str(s): round(1e3 * t, 2) for s, t in tried.items()}}), flush=True)
            self.replay = make(segment)
            self.stack.running.copy_(running)
        return self.replay

    def next(self):
        if self.todo is None or self.at >= len(self.todo):
            self.epoch += self.todo is not None
            order = np.random.RandomState(self.args.seed * 1000 + self.epoch).permutation(len(self.data.labels))
            todo = batches(self.data, self.rows, order, self.sequences)
            self.todo = todo[:len(todo) // self.world * self.world]         # every GPU the same number
            self.at = self.at if self.at < len(self.todo) and self.restored else 0
            self.restored = False
        chosen = self.todo[self.at + self.rank]
        self.at += self.world
        return chosen

    restored = False

    def step(self):
        """Loss and right answers (tensors), number of sequences"""
        replay = self.replays()
        chosen = self.next()
        inputs, labels = on_host(self.data, chosen, self.rows, self.kind)
        loss, right = replay(inputs, self.data.lengths[chosen], labels)
        return loss, right, len(chosen)


# ---- training -----------------------------------------------------------------------------------------------

def save_progress(path, stack, adam, **rest):
    torch.save({"flat": stack.flat.cpu(), "running": stack.running.cpu(), "mean": adam.mean.cpu(), "square": adam.square.cpu(),
                "count": adam.count, **rest}, path + ".part")
    os.replace(path + ".part", path)


def worker(rank, world, args):
    device = torch.device(args.device if args.device == "cpu" else f"cuda:{rank}")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("nccl", init_method=f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=world)
    torch.manual_seed(args.seed)
    cfg = configuration(args)
    model = Model(cfg)
    for layer in model.layers:
        for unit in (layer.unit, layer.unit_rev):
            unit.reset_parameters(*args.delta)
    stack = lra.Stack(cfg, device, getattr(torch, args.dtype), momentum=args.momentum)
    stack.from_model(export.load(args.start) if args.start else model)
    adam = AdamW(stack, args)
    train, valid = (Data(os.path.join(args.data, f"{part}.bin")) for part in ("train", "valid"))
    stages = [(until, Stage(stack, Data(path), args, rank, world, args.rows // 2, 1024))
              for path, until in zip(args.first or [], args.until or [])]
    longest = int(args.rows // max(1, train.lengths.min())) + 1
    stages.append((1e9, Stage(stack, train, args, rank, world, args.rows, min(1024, longest))))
    log = open(args.log, "a") if args.log and rank == 0 else None
    start = time.time()

    def report(**row):
        if rank:
            return
        line = json.dumps(row)
        print(line, flush=True)
        if log:
            log.write(line + "\n")
            log.flush()

    report(parameters=stack.flat.numel(), sequences=len(train.labels), world=world, torch=torch.__version__,
           chip=torch.cuda.get_device_name() if device.type == "cuda" else "cpu", **{
               k: v for k, v in vars(args).items() if k not in ("command", "run")})
    step, before = 0, 0.0                               # before: seconds of earlier calls
    if args.progress and os.path.exists(args.progress):
        saved = torch.load(args.progress, map_location=device)
        for to, name in ((stack.flat, "flat"), (stack.running, "running"), (adam.mean, "mean"), (adam.square, "square")):
            to.copy_(saved[name])
        adam.count, step, before = saved["count"], saved["step"], saved["seconds"]
        stages[-1][1].epoch, stages[-1][1].at, stages[-1][1].restored = saved["epoch"], saved["at"], True
    sums = torch.zeros(4, device=device)                # loss, right answers, sequences, gradient norm
    since = seen = 0
    saved_at = told = start

    def seconds():
        return before + time.time() - start

    def save():
        last = stages[-1][1]
        if args.progress:
            save_progress(args.progress, stack, adam, step=step, seconds=seconds(), epoch=last.epoch, at=last.at)
        if args.out:
            export.save(stack.to_model(), args.out, task=args.task)

    def mean_moments():                                 # one GPU's moments are as good as another's
        if world > 1:
            dist.all_reduce(stack.running)
            stack.running /= world

    progress = 0.0
    while step < args.steps and progress < 1.0:
        if step % 20 == 0 or world == 1:                # all GPUs have to agree on the time
            clock = torch.tensor([seconds() / args.total if args.total else 0.0, time.time() - start], dtype=torch.float64)
            if world > 1:
                shared = clock.to(device)
                dist.broadcast(shared, 0)
                clock = shared.cpu()
            if clock[1] > args.seconds:
                break
        progress = clock[0].item() if args.total else step / args.steps
        stage = next(s for until, s in stages if progress < until)
        loss, right, count = stage.step()
        if world > 1:
            dist.all_reduce(stack.gradient)
            stack.gradient /= world
        lr = args.lr * factor(step, progress, args)
        norm = adam.step(lr, args.clip)
        sums += torch.stack([loss, right.float(), torch.full_like(loss, count), norm])
        seen += stage.replay.batch.valid * world
        step, since = step + 1, since + 1
        if step % args.every == 0:
            s = sums.tolist()
            report(step=step, progress=round(progress, 3), epoch=round(stage.epoch + stage.at / len(stage.todo), 2),
                   loss=round(s[0] / since, 4), accuracy=round(s[1] / s[2], 4), gradient=round(s[3] / since, 3), rate=round(lr, 6),
                   seconds=round(seconds(), 1), tokens_a_second=round(seen / (time.time() - told)))
            sums.zero_()
            since, seen, told = 0, 0, time.time()
            if not math.isfinite(s[0]):
                raise SystemExit("the loss is not finite")
        if args.valid_every and step % args.valid_every == 0:
            mean_moments()
            if rank == 0:
                report(step=step, valid=accuracy(stack, valid, args), seconds=round(seconds(), 1))
            told = time.time()
        if rank == 0 and time.time() - saved_at > args.save_every:
            save()
            saved_at = time.time()
    mean_moments()
    if rank == 0:
        save()
        report(step=step, valid=accuracy(stack, valid, args), seconds=round(seconds(), 1), done=progress >= 1 or step >= args.steps)
    if world > 1:
        dist.barrier()
        dist.destroy_process_group()


def train(args):
    world = args.gpus or max(1, torch.cuda.device_count())
    if args.device == "cpu" or world == 1:
        worker(0, 1, args)
    else:
        torch.multiprocessing.spawn(worker, args=(world, args), nprocs=world)


def speed(args):
    for case in args.cases or [f"{args.h},{args.n},{args.rows},{args.segment}"]:
        args.h, args.n, args.rows, args.segment = map(int, case.split(","))
        measure(args)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def measure(args):
    """Tokens a second, forward and backward and the optimiser, on sequences of ListOps' lengths"""
    device = torch.device("cuda")
    stack = lra.Stack(configuration(args), device)
    adam = AdamW(stack, args)
    random = np.random.RandomState(0)
    prepared = []
    for _ in range(4):
        lengths = []
        while sum(lengths) < args.rows - 2000:
            lengths.append(int(random.choice([random.randint(501, 1200), random.randint(501, 2000)])))
        prepared.append((torch.randint(15, (args.rows,), dtype=torch.uint8), lengths, torch.randint(10, (len(lengths),))))
    replay = lra.Replay(stack, args.rows, args.rows // 501 + 1, args.segment or 1 << 30, prepared[0][1])

    def go(count):
        for i in range(count):
            replay(*prepared[i % 4])
            adam.step(1e-4, 1.0)

    go(8)
    torch.cuda.synchronize()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    go(args.steps)
    end.record()
    torch.cuda.synchronize()
    ms = begin.elapsed_time(end) / args.steps
    tokens = sum(sum(p[1]) for p in prepared) / 4
    print(f"h {args.h} n {args.n} rows {args.rows} segment {args.segment}: {ms:.2f} ms a step, {tokens / ms / 1e3:.2f} M tokens a second, "
          f"{torch.cuda.max_memory_allocated() / 2 ** 30:.1f} GiB", flush=True)
    if args.profile:
        from torch.profiler import ProfilerActivity, profile
        with profile(activities=[ProfilerActivity.CUDA]) as p:
            go(4)
            torch.cuda.synchronize()
        rows = sorted(p.key_averages(), key=lambda e: -e.device_time_total)[:22]
        for e in rows:
            print(f"  {e.device_time_total / 4e3:8.3f} ms {e.count // 4:5} x {e.key[:110]}", flush=True)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = p.add_subparsers(dest="command", required=True)
    t, s = commands.add_parser("train"), commands.add_parser("speed")
    t.set_defaults(run=train)
    s.set_defaults(run=speed)
    t.add_argument("--data", required=True, help="folder with train.bin and valid.bin")
    t.add_argument("--out", help="checkpoint to write (safetensors)")
    t.add_argument("--start", help="checkpoint whose weights to begin with; the options must describe the same model")
    t.add_argument("--progress", help="written while training, read when it exists")
    t.add_argument("--log", help="append the log to this file")
    t.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    t.add_argument("--total", type=float, default=0, help="seconds of the whole training, over all calls; sets the rate instead of --steps")
    t.add_argument("--first", nargs="*", help="files of other, shorter sequences to begin with")
    t.add_argument("--until", nargs="*", type=float, help="for each of them the part of the training up to which it is used")
    t.add_argument("--save-every", type=float, default=60)
    t.add_argument("--every", type=int, default=200)
    t.add_argument("--valid-every", type=int, default=2000)
    t.add_argument("--seed", type=int, default=0)
    t.add_argument("--gpus", type=int, default=0, help="0: all")
    t.add_argument("--port", type=int, default=29511)
    t.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    t.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    s.add_argument("--profile", action="store_true")
    s.add_argument("--cases", nargs="*", help="several settings: H,N,ROWS,SEGMENT each")
    for c in (t, s):
        c.add_argument("--task", choices=TASKS, default="listops")
        c.add_argument("--steps", type=int, default=10 ** 9 if c is t else 20)
        c.add_argument("--rows", type=int, default=65536, help="rows of a GPU's step, a multiple of 2048")
        c.add_argument("--segment", type=int, default=0 if c is t else 1 << 30,
                       help="cut longer sequences into pieces that run in parallel (0: try a few)")
        c.add_argument("--unit", choices=("b2s6", "s6", "s4d"), default="b2s6")
        c.add_argument("--h", type=int, default=8)
        c.add_argument("--n", type=int, default=16)
        c.add_argument("--layers", type=int)
        c.add_argument("--d-model", type=int)
        c.add_argument("--norm", choices=("batch", "layer"), default="batch")
        c.add_argument("--place", choices=("pre", "post"))
        c.add_argument("--no-b-bias", action="store_true")
        c.add_argument("--lr", type=float, default=8e-3)
        c.add_argument("--slow", type=float, default=0.125, help="rate of A, w and b as a part of --lr")
        c.add_argument("--decay", type=float, default=0.03)
        c.add_argument("--beta2", type=float, default=0.99)
        c.add_argument("--clip", type=float, default=1.0)
        c.add_argument("--warmup", type=int, default=500)
        c.add_argument("--smoothing", type=float, default=0.0)
        c.add_argument("--momentum", type=float, default=0.02, help="of batch norm's running moments")
        c.add_argument("--delta", type=float, nargs=2, default=(1e-3, 1e-1), help="range of the initial delta")
    return p.parse_args()


def main():
    args = arguments()
    args.run(args)


if __name__ == "__main__":
    main()
