#!/usr/bin/env python3
"""Train models that spot spoken digits in a stream: B2S6, a GRU and a DS-CNN of equal size, many at once on one GPU.

    train_speech.py --out results                           all of it: choose the recipe, train every model, let them listen
    train_speech.py --report results                        right answers on clips
    train_speech.py --export results --model 0 --out digits.safetensors

Models of one kind are trained side by side, each with its own clips, seed and settings; the kinds run at the same time. On a GPU a
whole step, the making of its batch included, is one CUDA graph. First comes the plan `recipe`: B2S6 models that leave out two
speakers, under several settings; the setting with the most right answers on those speakers is the recipe. Then the plan
`final`: three seeds on the official training part; one on the same without index 5..9, to choose thresholds with; one for each
speaker left out. Needs numpy, torch and fsdd.npz (docs/models.md).
"""
import argparse
import json
import math
import multiprocessing
import os
import time

import numpy as np
import torch

import scan_triton
import speech_data as data
import speech_frontend as frontend
import speech_models as models
import speech_sounds as sounds

TAIL_FRAMES = 14                                # of silence after a clip, until its word is taken as spoken
SMOOTH = 4                                      # steps over which beliefs are averaged
VOICES = {"plain": data.PLAIN, "mild": data.MILD, "strong": data.STRONG}
PAIRS = [(0, 3), (1, 4), (2, 5)]                # speakers left out together while the recipe is chosen
SETTINGS = [{"voices": "mild", "decay": 4}, {"voices": "mild", "decay": 16}, {"voices": "mild", "decay": 40},
            {"voices": "plain", "decay": 16}, {"voices": "mild", "decay": 16, "mask": 0.7},
            {"voices": "mild", "decay": 16, "dropout": 0.2}, {"voices": "strong", "decay": 16},
            {"voices": "mild", "decay": 16, "lr": 2}]


def recipe_plan(speaker, index):
    """[(name, training clips, held-out clips, seed, settings)]"""
    return [(f"{json.dumps(s)} without {a},{b}", np.flatnonzero((speaker != a) & (speaker != b)),
             np.flatnonzero((speaker == a) | (speaker == b)), 0, s) for s in SETTINGS for a, b in PAIRS]


def final_plan(speaker, index, settings):
    made = [(f"official/{s}", np.flatnonzero(index >= 5), np.flatnonzero(index < 5), s, settings) for s in range(3)]
    made.append(("thresholds", np.flatnonzero(index >= 10), np.flatnonzero((index >= 5) & (index < 10)), 0, settings))
    return made + [(f"without {name}", np.flatnonzero(speaker != k), np.flatnonzero(speaker == k), 0, settings)
                   for k, name in enumerate(sounds.SPEAKERS)]


class Trainer:
    """AdamW over the one tensor of all parameters; warm-up, then a cosine to zero. Everything is done on the device."""

    def __init__(self, model, batches, settings, args):
        self.model, self.batches = model, batches
        flat = model.flat
        self.total = torch.tensor(float(args.steps), device=flat.device)
        of = lambda key, default: torch.tensor([float(s.get(key, default)) for s in settings], device=flat.device)
        self.rate = args.lr * of("lr", 1)[:, None] * model.rate
        self.pull = args.decay * of("decay", 1)[:, None] * model.decay
        self.dropout = of("dropout", args.dropout)
        self.m, self.v = torch.zeros_like(flat), torch.zeros_like(flat)
        self.count = torch.zeros((), device=flat.device)
        self.losses = torch.zeros(flat.shape[0], device=flat.device)
        flat.grad = torch.zeros_like(flat)
        self.go = self.step

    def loss(self):
        """Minus the log of the probability of all allowed classes, a mean over steps for each model; steps that must name a
        digit count twice."""
        features, allowed = self.batches.next()
        logits = self.model(features, self.dropout)
        each = torch.logsumexp(logits, -1) - torch.logsumexp(logits + torch.where(allowed, 0.0, -1e4), -1)
        return (each * torch.where(allowed[..., 0], 1.0, 2.0)).mean((1, 2))

    def step(self):
        losses = self.loss()
        flat = self.model.flat
        flat.grad.zero_()
        losses.sum().backward()
        with torch.no_grad():
            g = flat.grad
            g = g * (1.0 / g.norm(dim=1, keepdim=True).clamp(min=1.0))
            self.count += 1
            part = ((self.count - 100) / (self.total - 100)).clamp(0, 1)
            scale = torch.minimum(self.count / 100, 0.5 + 0.5 * torch.cos(math.pi * part))
            self.m.lerp_(g, 0.1)
            self.v.lerp_(g * g, 0.01)
            m, v = self.m / (1 - 0.9 ** self.count), self.v / (1 - 0.99 ** self.count)
            flat.sub_(scale * self.rate * (m / (v.sqrt() + 1e-8) + self.pull * flat))
            self.losses.lerp_(losses.detach(), 0.02)

    def capture(self):
        """From now on a step is one launch of a graph, on a stream of its own."""
        self.stream = torch.cuda.Stream()
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(3):
                self.step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            self.step()
        torch.cuda.synchronize()

        def go():
            with torch.cuda.stream(self.stream):
                graph.replay()
        self.go = go


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def captured(trainers):
    """The trainers whose steps run on this GPU, as graphs; what fails is said and left out."""
    good = {}
    for kind, t in trainers.items():
        try:
            t.capture()
            good[kind] = t
        except Exception as error:              # the other kinds are still worth their time
            print(f"{kind} does not run: {error}", flush=True)
    return good


def run(trainers, pool, args, seconds):
    """All steps of all trainers, or as many as the seconds allow, measured after the first 60; the pool is drawn anew every
    args.renew steps."""
    start, steps = time.time(), args.steps
    if pool.device == "cuda" and not args.eager:
        trainers = captured(trainers)
    wait(pool.device)
    begin, k = time.time(), 3
    while k < steps:
        for t in trainers.values():
            t.go()
        k += 1
        if k == 63:
            wait(pool.device)
            each = (time.time() - begin) / 60 + 0.4 / args.renew
            steps = max(100, min(args.steps, int((seconds - (time.time() - start)) / each)))
            print(f"{1000 * each:.1f} ms a step: {steps} steps", flush=True)
            for t in trainers.values():
                t.total.fill_(float(steps))
        if k % args.renew == 0 and k < steps:
            wait(pool.device)
            pool.renew()
            wait(pool.device)
            for kind, t in trainers.items():
                seen = t.losses.tolist()
                print(f"step {k:5} {kind:7} loss {min(seen):.4f} .. {max(seen):.4f}  {time.time() - start:.0f} s", flush=True)
    wait(pool.device)
    return trainers


def clip_features(clips, frames=160):
    """Exact features of clips with silence after them: (clips, steps, 48), and how many steps of each count"""
    silence = frontend.features(np.zeros(frontend.FRAME, np.int16))[0, 0]
    out = np.full((len(clips), frames, frontend.BANDS), silence, np.float32)
    steps = []
    for row, c in zip(out, clips):
        x = frontend.features(np.concatenate([c, np.zeros(frontend.FRAME, np.int16)]))[:frames]
        row[:len(x)] = x
        steps.append(min(frames, len(c) // frontend.HOP + TAIL_FRAMES) // data.FRAMES_A_STEP)
    return out.reshape(len(clips), frames // data.FRAMES_A_STEP, -1), np.array(steps)


def named(logits, steps):
    """The digit of each clip: the highest belief, averaged over SMOOTH steps, at any time. logits (..., clips, steps, 11)"""
    belief = torch.softmax(logits, -1)[..., 1:]
    total = belief.cumsum(-2)
    total = total - torch.cat([torch.zeros_like(total[..., :SMOOTH, :]), total[..., :-SMOOTH, :]], -2)
    valid = torch.arange(logits.shape[-2], device=logits.device) < steps[:, None]
    return (total * valid[..., None]).amax(-2).argmax(-1)


def answers(model, features, steps, device):
    """(models, clips) digits"""
    model.eval()
    M, made = model.flat.shape[0], []
    with torch.no_grad():
        for x, s in zip(torch.from_numpy(features).split(100), torch.from_numpy(steps).split(100)):
            x = x.to(device).expand(M, *x.shape).contiguous()
            made.append(named(model(x), s.to(device)).cpu())
    model.train()
    return torch.cat(made, 1).numpy()


def streams(path):
    """The four streams of the evaluation: {name: (samples, words)}; words (n, 3) or empty"""
    clips, label, _, index = sounds.clips(path)
    made = {}
    for seed, (part, low, high, repeats) in enumerate([("chosen", 5, 10, 4), ("test", 0, 5, 4)]):
        ids = np.flatnonzero((index >= low) & (index < high))
        words = [clips[i] for i in ids]
        made[part + " words"] = lambda w=words, l=label[ids], s=seed, r=repeats: sounds.word_stream(w, l, np.random.default_rng(100 + s), r)
        made[part + " noise"] = lambda w=words, s=seed: (sounds.noise_hour(w, np.random.default_rng(200 + s)), np.zeros((0, 3), int))
    return made


def stream_features(job):
    path, name = job
    samples, words = streams(path)[name]()
    x = frontend.features(samples)
    return name, x[:len(x) // 2 * 2].reshape(-1, models.INPUTS), words


def beliefs(model, features, device, piece=1000, before=60):
    """Of every step of a stream, as bytes (models, steps, 11): pieces side by side, each with some steps before it"""
    steps = len(features)
    count = -(-steps // piece)
    padded = np.concatenate([np.full((before, features.shape[1]), -4, np.float32), features,
                             np.full((count * piece - steps, features.shape[1]), -4, np.float32)])
    x = torch.from_numpy(np.stack([padded[i * piece:(i + 1) * piece + before] for i in range(count)])).to(device)
    model.eval()
    with torch.no_grad():
        M = model.flat.shape[0]
        y = torch.cat([model(part.expand(M, *part.shape).contiguous())[:, :, before:] for part in x.split(16)], 1)
    model.train()
    y = torch.softmax(y, -1).reshape(M, count * piece, -1)[:, :steps]
    return (y * 255).round().byte().cpu().numpy()


def make(kind, todo, pool, ranges, noises, label, args):
    model = models.KINDS[kind]([t[3] for t in todo]).to(pool.device)
    settings = [t[4] for t in todo]
    batches = data.Batches(pool, noises, label, [t[1].tolist() for t in todo], [ranges[s["voices"]] for s in settings],
                           [s.get("mask", 0) for s in settings], args.batch, args.strange)
    if args.start:                              # go on from stored models of these names
        z = np.load(os.path.join(args.start, kind + ".npz"))
        stored = {str(n): f for n, f in zip(z["names"], z["flat"])}
        model.flat.data = torch.from_numpy(np.stack([stored[t[0]] for t in todo])).to(pool.device)
    print(f"{kind}: {len(todo)} models of {model.flat.shape[1]} parameters", flush=True)
    return Trainer(model, batches, settings, args)


def pool_of(names, clips, device, args):
    ranges = {n: (i * args.variants, (i + 1) * args.variants) for i, n in enumerate(names)}
    return data.Pool(clips, [VOICES[n] for n in names for _ in range(args.variants)], device, args.seed), ranges


def choose(clips, label, speaker, index, features, noises, device, args):
    """The recipe's settings, by right answers on speakers left out"""
    pool, ranges = pool_of(sorted({s["voices"] for s in SETTINGS}), clips, device, args)
    todo = recipe_plan(speaker, index)[:args.models]
    fast = argparse.Namespace(**{**vars(args), "steps": args.recipe_steps})
    trainer = make("b2s6", todo, pool, ranges, noises, label, fast)
    run({"b2s6": trainer}, pool, fast, 60)
    said = answers(trainer.model, *features, device)
    save(args.out, "recipe", todo, said, trainer)
    scores = np.array([(said[m] == label)[t[2]].mean() for m, t in enumerate(todo)])
    scores = scores[:len(scores) // len(PAIRS) * len(PAIRS)].reshape(-1, len(PAIRS)).mean(1)
    for s, score in zip(SETTINGS, scores):
        print(f"recipe {100 * score:.2f} % {json.dumps(s)}", flush=True)
    return SETTINGS[int(scores.argmax())]


def save(folder, name, todo, said, trainer, **more):
    held = np.zeros(said.shape, bool)
    for m, t in enumerate(todo):
        held[m, t[2]] = True
    arrays = {k: v.detach().cpu().numpy() for k, v in trainer.model.state_dict().items()}
    np.savez_compressed(os.path.join(folder, name + ".npz"), names=[t[0] for t in todo], said=said, held=held,
                        losses=trainer.losses.cpu().numpy(), **arrays, **more)


def train(args):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    clips, label, speaker, index = sounds.clips(args.data)
    with multiprocessing.get_context("spawn").Pool(6) as workers:
        listened = workers.map_async(stream_features, [(args.data, n) for n in streams(args.data)]) if args.listen else None
        if device == "cuda":
            error = scan_triton.check(device)
            print(f"scan kernels: largest relative error {error:.1e}", flush=True)
            if not error < 1e-4:
                raise SystemExit("train_speech.py: the scan kernels are wrong on this GPU")
        start = time.time()
        torch.manual_seed(args.seed)
        os.makedirs(args.out, exist_ok=True)
        features = clip_features(clips)
        noises = data.noise_table([c for c, i in zip(clips, index) if i >= 10], 1000 + args.seed, args.noise_seconds)
        print(f"features after {time.time() - start:.0f} s", flush=True)
        settings = json.loads(args.settings) if args.settings else \
            choose(clips, label, speaker, index, features, noises, device, args)
        print(f"recipe: {json.dumps(settings)}; {time.time() - start:.0f} s", flush=True)
        todo = [t for t in final_plan(speaker, index, settings) if t[0] in (args.names or [t[0]])][:args.models]
        pool, ranges = pool_of([settings["voices"]], clips, device, args)
        trainers = {kind: make(kind, todo, pool, ranges, noises, label, args) for kind in args.kinds}
        trainers = run(trainers, pool, args, args.seconds - (time.time() - start))
        for kind, t in trainers.items():
            save(args.out, kind, todo, answers(t.model, *features, device), t, settings=json.dumps(settings))
        report(args.out, label)
        if listened:
            got = {name: (x, words) for name, x, words in listened.get(120)}
            print(f"streams ready after {time.time() - start:.0f} s", flush=True)
            for kind, t in trainers.items():
                keep = [0, 1, 2, 3] if kind == "b2s6" else [0, 3]
                heard = {n.replace(" ", "_"): beliefs(t.model, x, device)[keep] for n, (x, _) in got.items()}
                words = {n.replace(" ", "_") + "_rows": w for n, (_, w) in got.items()}
                np.savez_compressed(os.path.join(args.out, kind + "-heard.npz"), **heard, **words)
        print(f"{time.time() - start:.0f} s in all", flush=True)


def report(folder, label):
    for kind in models.KINDS:
        path = os.path.join(folder, kind + ".npz")
        if not os.path.exists(path):
            continue
        z = np.load(path)
        print(f"{kind}: {z['flat'].shape[1]} parameters, {z['settings']}")
        rights = []
        for name, said, held in zip(z["names"], z["said"], z["held"]):
            right = (said == label)[held]
            rights.append(100 * right.mean())
            print(f"  {name:20} {right.sum()} of {len(right)}, {rights[-1]:.2f} %   (all clips {100 * (said == label).mean():.2f})")
        print(f"  official {np.mean(rights[:3]):.2f} %, speakers left out {np.mean(rights[4:10]):.2f} %", flush=True)


def export_one(folder, m, out):
    import export
    z = np.load(os.path.join(folder, "b2s6.npz"))
    model = models.KINDS["b2s6"]([0])
    model.flat.data = torch.from_numpy(z["flat"][m:m + 1])
    tensors = {k: v.numpy() for k, v in model.one(0).items()}
    export.write_safetensors(out, tensors, {"b2s6": json.dumps(model.cfg), "task": "spoken digits in a stream, 8 kHz",
                                            "classes": "none, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"})


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--data", help="fsdd.npz (or the environment's FSDD)")
    p.add_argument("--kinds", nargs="+", choices=list(models.KINDS), default=list(models.KINDS))
    p.add_argument("--out", help="folder for the results; with --export the checkpoint")
    p.add_argument("--report", metavar="FOLDER")
    p.add_argument("--export", metavar="FOLDER")
    p.add_argument("--model", type=int, default=0)
    p.add_argument("--settings", help="the recipe's settings as JSON, instead of choosing them")
    p.add_argument("--models", type=int, help="only the first of each plan")
    p.add_argument("--names", nargs="+", help="only these of the final plan")
    p.add_argument("--start", metavar="FOLDER", help="go on from the models of a former run")
    p.add_argument("--strange", type=float, default=0.18, help="share of the sounds that are no words")
    p.add_argument("--steps", type=int, default=4000)
    p.add_argument("--recipe-steps", type=int, default=2000)
    p.add_argument("--seconds", type=float, default=1e9)
    p.add_argument("--batch", type=int, default=48)
    p.add_argument("--variants", type=int, default=12)
    p.add_argument("--renew", type=int, default=400)
    p.add_argument("--noise-seconds", type=int, default=48)
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--decay", type=float, default=0.02)
    p.add_argument("--dropout", type=float, default=0.1)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--eager", action="store_true", help="no CUDA graphs")
    p.add_argument("--listen", action="store_true", help="let the models hear the streams, too")
    return p.parse_args()


def main():
    args = arguments()
    if args.report:
        report(args.report, sounds.clips(args.data)[1])
    elif args.export:
        export_one(args.export, args.model, args.out)
    else:
        train(args)


if __name__ == "__main__":
    main()
