"""Stacks of bidirectional s4 blocks with B2S6 units over sequences of different lengths, for training on one or more GPUs.

The parameters are those of b2s6.Model, stacked over layers and directions; `Stack.to_model` and `from_model` convert. Forward and
backward are written out here: products by PyTorch, everything else by lra_scan.cu and lra_pointwise.cu, which nvcc compiles on
first use into __pycache__, or the folder B2S6_KERNELS. Without a GPU the same kernels run on the CPU (cuda_on_cpu.h), which is only
good for checking them.

    stack = Stack(cfg, device)                 cfg as b2s6.config(...), see supports()
    batch = Batch(lengths, rows, device)       sequences one after the other in `rows` rows, the last of them filling
    loss, right = stack.step(inputs, batch, labels)      and the gradient, in stack.gradient

Storage is bfloat16 or float32 (dtype); float32 also selects exact elementary functions, and is there to prove the algebra.
"""
import ctypes
import functools
import os
import shutil
import subprocess

import numpy as np
import torch
from torch.nn import functional as F

from b2s6 import Model

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ("lra_scan.cu", "lra_pointwise.cu")
FORWARD, BACKWARD, SUMMARY, ADJOINT = range(4)
(GELU_FORWARD, GELU_BACKWARD, GLU_FORWARD, NORM_FORWARD, NORM_SUMS, NORM_BACKWARD, GATHER, POOL, COLUMN_SUMS) = range(9)
PARTS = 1024                                            # rows of products that are summed apart, and then together


# ---- kernels ------------------------------------------------------------------------------------------------

def structure(name, *fields):
    types = {"p": ctypes.c_void_p, "l": ctypes.c_long, "i": ctypes.c_int, "f": ctypes.c_float}
    return type(name, (ctypes.Structure,), {"_fields_": [(f, types[t]) for t, names in fields for f in names.split()]})


ScanArgs = structure("ScanArgs", ("p", "u proj A K b segments order sequences state adjoint total y starts dy du dproj dA dK db"),
                     ("l", "tokens slots"), ("i", "runs count blocks"))
PointwiseArgs = structure("PointwiseArgs", ("p", "x y u h dy extra more out out2 weight bias sums parts sequences live"),
                          ("l", "rows"), ("f", "eps"), ("i", "count"))


def build(folder, on_gpu):
    """Compile the kernels; a library newer than its sources is taken as it is."""
    sources = [os.path.join(HERE, s) for s in SOURCES]
    if on_gpu:
        major, minor = torch.cuda.get_device_capability()
        target = os.path.join(folder, f"lra_sm{major}{minor}.so")
        nvcc = shutil.which("nvcc") or os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin", "nvcc")
        command = [nvcc, "-O3", "-std=c++17", f"-arch=sm_{major}{minor}", "-shared", "-Xcompiler", "-fPIC"]
        newest = sources
    else:
        target = os.path.join(folder, "lra_cpu.so")
        command = ["g++", "-x", "c++", "-std=c++17", "-O2", "-w", "-DB2S6_ON_CPU", "-shared", "-fPIC"]
        newest = sources + [os.path.join(HERE, "cuda_on_cpu.h")]
    if not os.path.exists(target) or os.path.getmtime(target) < max(map(os.path.getmtime, newest)):
        subprocess.check_call([*command, "-o", target + ".part", *sources])
        os.replace(target + ".part", target)
    return target


@functools.lru_cache(None)
def library(on_gpu):
    folder = os.environ.get("B2S6_KERNELS", os.path.join(HERE, "__pycache__"))
    os.makedirs(folder, exist_ok=True)
    return ctypes.CDLL(build(folder, on_gpu))


def address(t):
    return None if t is None else t.data_ptr()


def call(device, name, args, *numbers):
    stream = torch.cuda.current_stream().cuda_stream if device.type == "cuda" else None
    status = getattr(library(device.type == "cuda"), name)(ctypes.byref(args), *numbers, ctypes.c_void_p(stream))
    if status:
        raise RuntimeError(f"{name} failed with status {status}")


def row_size(n):
    return (3 * n + 1 + 7) // 8 * 8


# ---- batches ------------------------------------------------------------------------------------------------

class Batch:
    """Sequences of the given lengths, one after the other from row 0; rows beyond their end are filling.

    segment     sequences longer than this many steps are cut into pieces of about equal length that run in parallel
    sequences   room for so many; fill() then puts other sequences in the same place, which a captured graph reads
    """

    def __init__(self, lengths, rows, device, segment=1 << 30, sequences=None):
        self.rows, self.device, self.segment = rows, device, segment
        self.count = sequences or len(lengths)                      # of sequences, empty ones included
        self.cut = segment < rows
        self.segments = self.count + rows // segment * 2 + 3        # of segments; the last is always empty
        self.slots = rows // 4 + self.segments
        sizes = [4 * self.segments, 2 * (self.count + 1), 2 * self.count, self.segments, self.segments, rows, 1]
        self.flat = torch.zeros(sum(sizes), dtype=torch.int32, device=device)
        (self.segment_table, self.sequence_table, self.pooled, self.order, self.cut_order, self.owner,
         self.live) = self.flat.split(sizes)
        self.sizes, self.sequences = sizes, self.count + 1
        self.fill(lengths)

    def fill(self, lengths):
        lengths = np.asarray(lengths, np.int64)
        first = np.concatenate([[0], np.cumsum(lengths)])
        self.valid = int(first[-1])
        if self.valid > self.rows or len(lengths) > self.count:
            raise ValueError(f"{len(lengths)} sequences of {self.valid} steps do not fit {self.count} and {self.rows}")
        every = np.append(lengths, self.rows - self.valid)          # filling runs as a sequence, too
        cuts = np.maximum(1, -(-every // self.segment))
        seg_first = np.concatenate([[0], np.cumsum(cuts)])
        which, part = np.repeat(np.arange(len(every)), cuts), np.arange(seg_first[-1]) - np.repeat(seg_first[:-1], cuts)
        begin, end = part * every[which] // cuts[which], (part + 1) * every[which] // cuts[which]
        start, length = first[which] + begin, end - begin
        groups = -(-length // 4)
        slots = np.cumsum(groups) - groups
        order = np.argsort(-length, kind="stable")
        cut = order[cuts[which][order] > 1]
        owner = np.full(self.rows, self.count)
        owner[:self.valid] = np.repeat(np.arange(len(lengths)), lengths)
        empty = self.segments - 1
        assert len(length) <= empty
        flat, at = np.zeros(sum(self.sizes), np.int32), 0
        for values, size, rest in zip((np.stack([start, length, slots, slots], 1), np.stack([seg_first[:-1], cuts], 1),
                                       np.stack([first[:-1], lengths], 1), order, cut, owner, [self.valid]), self.sizes,
                                      (0, 0, 0, empty, empty, 0, 0)):
            values = np.ravel(values)
            flat[at:at + len(values)] = values
            flat[at + len(values):at + size] = rest
            at += size
        host = torch.from_numpy(flat)
        self.flat.copy_(host.pin_memory() if self.device.type == "cuda" else host, non_blocking=True)
        return self


# ---- the model ----------------------------------------------------------------------------------------------

# States and channels a block; 16 and 128 with bfloat16 storage only
SIZES = [(n, p) for n in (8, 16, 32) for p in (8, 16, 32, 64, 128) if n * p <= 2048 and (n, p) != (32, 64)]


def supports(cfg):
    u, d = cfg["unit"], cfg["d_model"]
    selective = u["b_weight"] and u["c"] == "selective" and u["delta"] == "block"
    constant = not u["b_weight"] and u["c"] == "constant" and u["delta"] == "constant" and u["complex"]       # S4D
    if cfg["input"]["kind"] == "features" and cfg["norm"] == {**cfg["norm"], "kind": "batch", "place": "pre"}:
        return False                            # the variance of a channel with a large mean cancels in float32
    return (cfg["block"] == "s4" and cfg["bidirectional"] and cfg["norm"]["kind"] in ("batch", "layer") and cfg["pool"] == "mean"
            and cfg["final_norm"]["kind"] in ("none", cfg["norm"]["kind"]) and cfg["head"]["size"] > 0
            and not cfg["head"]["tied"] and cfg["head"]["bias"] and u["complex"] == u["conjugate"]
            and (u["complex"] or not u["b_bias"]) and u["a_scope"] in ("layer", "block") and (selective or constant)
            and not u["c_complex"] and u["discretization"] == "zoh" and u["skip"] and d in (32, 64, 128, 256)
            and (u["d_state"], d // u["h"]) in SIZES)


def stacked_names(cfg):
    """{name here: names in the state_dict}, in an order that keeps one kind of parameter together"""
    layers = range(cfg["n_layers"])
    u = cfg["unit"]
    unit = ["A_log", *["A_imag"] * u["complex"], *["B_weight"] * u["b_weight"], "C", *["w"] * (u["delta"] == "block"), "b", "D",
            *["B_bias"] * u["b_bias"]]
    names = {k: [f"layers.{i}.{u}.{k}" for i in layers for u in ("unit", "unit_rev")] for k in unit}
    names.update({k: [f"layers.{i}.{k}" for i in layers] for k in ("norm.weight", "norm.bias", "out.weight", "out.bias")})
    names["encoder.weight"] = ["encoder.weight"]
    if cfg["input"]["kind"] == "features":
        names["encoder.bias"] = ["encoder.bias"]
    if cfg["final_norm"]["kind"] != "none":
        names.update({k: [k] for k in ("final_norm.weight", "final_norm.bias")})
    names.update({k: [k] for k in ("head.weight", "head.bias")})
    return names


SLOW = ("A_log", "A_imag", "w", "b")
DECAYED = ("B_weight", "C", "out.weight", "encoder.weight", "head.weight")


class Stack:
    """Parameters, moments of batch norm, and one training step"""

    def __init__(self, cfg, device, dtype=torch.bfloat16, momentum=0.1):
        if not supports(cfg):
            raise ValueError("the LRA kernels do not cover this configuration")
        self.cfg, self.device, self.dtype, self.momentum = cfg, torch.device(device), dtype, momentum
        self.d, self.h, self.n, self.layers = cfg["d_model"], cfg["unit"]["h"], cfg["unit"]["d_state"], cfg["n_layers"]
        self.p, self.row = self.d // self.h, row_size(self.n)
        self.pre, self.batch_norm = cfg["norm"]["place"] == "pre", cfg["norm"]["kind"] == "batch"
        self.final = cfg["final_norm"]["kind"] != "none"
        self.names = stacked_names(cfg)
        self.from_model(Model(cfg))

    # -- parameters: one buffer, and views of it

    def from_model(self, model):
        state = model.state_dict()
        shapes = {k: (len(v), *state[v[0]].shape) for k, v in self.names.items()}
        sizes = [int(np.prod(s)) for s in shapes.values()]
        self.flat = torch.cat([torch.stack([state[n] for n in v]).ravel() for v in self.names.values()]).float().to(self.device)
        self.gradient = torch.zeros_like(self.flat)

        def views(flat):
            return {k: t.view(shapes[k]) for k, t in zip(shapes, flat.split(sizes))}

        self.views, self.parameter, self.grad = views, views(self.flat), views(self.gradient)
        count = self.layers + self.final
        self.running = torch.zeros(count, 2, self.d, device=self.device)
        self.running[:, 1] = 1
        if self.batch_norm:
            for i, name in enumerate(self.norm_names()):
                self.running[i, 0], self.running[i, 1] = state[name + "running_mean"], state[name + "running_var"]

    def norm_names(self):
        return [f"layers.{i}.norm." for i in range(self.layers)] + (["final_norm."] if self.final else [])

    def to_model(self):
        model = Model(self.cfg)
        state = model.state_dict()
        for k, names in self.names.items():
            for name, value in zip(names, self.parameter[k]):
                state[name] = value.detach().cpu().clone()
        if self.batch_norm:
            for i, name in enumerate(self.norm_names()):
                state[name + "running_mean"], state[name + "running_var"] = self.running[i].cpu().unbind(0)
        model.load_state_dict(state)
        return model.eval()

    def groups(self, slow, decay):
        """Of each number: its rate as a part of the whole, and its weight decay"""
        rate, decays = torch.ones_like(self.flat), torch.zeros_like(self.flat)
        for k, t in self.views(rate).items():
            t.fill_(slow if k in SLOW else 1.0)
        for k, t in self.views(decays).items():
            t.fill_(decay if k in DECAYED else 0.0)
        return rate, decays

    def derived(self):
        """What the kernels take, for all layers, differentiable in self.parameter: W (layers, d, h * 2 * ROW), block diagonal;
        A (layers, 2, h, n, 2), K (layers, 2, d, n, 2), b (layers, 2, d), D (layers, d), both directions' sum.
        Constant units (S4D) have no W: the kernels' C is 1, and K = B C. Real ones have imaginary parts of 0, and half of C, since
        the kernels add the conjugates."""
        L, h, p, n, d, unit = self.layers, self.h, self.p, self.n, self.d, self.cfg["unit"]
        t = {k: v.requires_grad_() for k, v in ((k, v.detach()) for k, v in self.parameter.items())}
        re = -torch.exp(t["A_log"])                                                     # (2 L, 1 | h, n)
        im = t["A_imag"] if unit["complex"] else torch.zeros_like(re)
        size = re * re + im * im                        # the kernels' dA has what comes through B / A: those parts nearly cancel
        ir, ii = (re / size).detach().unsqueeze(2), (-im / size).detach().unsqueeze(2)

        def divided(v):                                                                 # (2 L, h, *, n, 2) by A
            return v[..., 0] * ir - v[..., 1] * ii, v[..., 0] * ii + v[..., 1] * ir

        W, b = None, t["b"]
        if unit["b_weight"]:
            B = t["B_weight"].transpose(2, 3)                                           # (2 L, h, p, n), and 2 if complex
            wr, wi = divided(B) if unit["complex"] else (B * ir, torch.zeros_like(B))
            W = torch.cat([wr, wi, t["C"] if unit["complex"] else t["C"] / 2, t["w"].unsqueeze(-1)], -1)
            W = F.pad(W, (0, self.row - W.shape[-1])).view(L, 2, h, p, self.row).permute(0, 2, 3, 1, 4)
            eye = torch.eye(h, device=self.device)
            W = torch.einsum("lhpdr,hk->lhpkdr", W, eye).reshape(L, d, h * 2 * self.row)
        else:
            b = torch.log(torch.expm1(torch.exp(b)))                                    # softplus of it is delta
        A = torch.stack([re, im], -1).expand(2 * L, h, n, 2).reshape(L, 2, h, n, 2)
        if unit["b_bias"]:
            B = t["B_bias"] if unit["b_weight"] else t["B_bias"] * t["C"].unsqueeze(-1)
            K = torch.stack(divided(B), -1).reshape(L, 2, d, n, 2)
        else:
            K = torch.zeros(L, 2, d, n, 2, device=self.device)
        return t, (W, A.contiguous(), K.contiguous(), b.reshape(L, 2, d), t["D"].view(L, 2, d).sum(1))

    def projected(self, u, W):
        """B, C and dt of every step (rows, h, 2, ROW); a constant unit's are the same at every step"""
        if W is not None:
            return u @ W
        if self.still is None or len(self.still) != self.batch.rows:
            self.still = torch.zeros(self.batch.rows, self.h, 2, self.row, dtype=self.dtype, device=self.device)
            self.still[..., 2 * self.n:3 * self.n] = 1
        return self.still

    still = None

    # -- kernels

    def pointwise(self, what, blocks=None, **k):
        rows = k.get("rows", self.batch.rows)
        if blocks is None:
            blocks = min(528, -(-rows // (256 * 8 // self.d)))
        kinds = {GELU_BACKWARD: 1, GLU_FORWARD: 2, NORM_SUMS: 2, NORM_BACKWARD: 4}.get(what)
        parts = torch.empty(blocks, kinds, self.d, device=self.device) if kinds else k.pop("parts", None)
        args = PointwiseArgs(rows=rows, live=address(self.batch.live), eps=self.cfg["norm"]["eps"],
                             **{f: address(v) for f, v in k.items() if f != "rows"}, parts=address(parts))
        call(self.device, "b2s6_lra_pointwise", args, self.d, int(self.dtype == torch.bfloat16), what, blocks)
        return self.column_sums(parts) if kinds else None

    def column_sums(self, parts):
        """(blocks, k, d) -> (k, d)"""
        out = torch.empty(parts.shape[1:], device=self.device)
        call(self.device, "b2s6_lra_pointwise", PointwiseArgs(parts=address(parts), out=address(out), rows=out.numel(),
                                                              count=parts.shape[0]), self.d, 0, COLUMN_SUMS, out.numel() // 32)
        return out

    def empty(self, *shape):
        return torch.empty(*shape, dtype=self.dtype, device=self.device)

    def scan(self, which, u, proj, A, K, b, **k):
        B = self.batch
        args = ScanArgs(u=address(u), proj=address(proj), A=address(A), K=address(K), b=address(b),
                        segments=address(B.segment_table), order=address(B.cut_order if which in (SUMMARY, ADJOINT) else B.order),
                        sequences=address(B.sequence_table), tokens=B.rows, slots=B.slots, runs=B.segments, count=B.segments,
                        blocks=self.h, **{f: address(v) for f, v in k.items()})
        half = int(self.dtype == torch.bfloat16)
        call(self.device, "b2s6_lra_scan", args, self.n, self.p, half, which)
        if which in (SUMMARY, ADJOINT):
            call(self.device, "b2s6_lra_carry", args, self.n, self.p, B.sequences, int(which == ADJOINT))

    def scan_forward(self, u, proj, A, K, b, keep):
        B = self.batch
        state = total = None
        if B.cut:
            state = torch.zeros(2, B.segments, self.d, self.n, 2, device=self.device)
            total = torch.zeros(2, B.segments, self.d, device=self.device)
            self.scan(SUMMARY, u, proj, A, K, b, state=state, total=total)
        y = self.empty(2, B.rows, self.d)
        starts = None
        if keep:
            room = 2 if self.dtype == torch.float32 or self.p * self.n < 128 else 1
            starts = torch.empty(2 * B.slots * self.d * self.n * room, dtype=torch.float32, device=self.device)
        self.scan(FORWARD, u, proj, A, K, b, state=state, y=y, starts=starts)
        return y, starts, total

    def scan_backward(self, ds, u, proj, A, K, b, starts, total):
        B = self.batch
        adjoint = None
        if B.cut:
            adjoint = torch.zeros(2, B.segments, self.d, self.n, 2, device=self.device)
            self.scan(ADJOINT, u, proj, A, K, b, dy=ds, adjoint=adjoint, total=total)
        du, dproj = self.empty(2, B.rows, self.d), torch.empty_like(proj)
        dA, dK, db = (torch.zeros_like(t) for t in (A, K, b))
        self.scan(BACKWARD, u, proj, A, K, b, dy=ds, adjoint=adjoint, starts=starts, du=du, dproj=dproj, dA=dA, dK=dK, db=db)
        return du, dproj, dA, dK, db

    # -- forward and backward

    def norm(self, i, x, sums, training):
        """norm i of the stack; sums of x and x^2 over the rows (batch norm)"""
        name = "final_norm" if i == self.layers else "norm"
        j = 0 if i == self.layers else i
        if self.batch_norm and training:
            self.moments.append(sums)
        elif self.batch_norm:                   # sums that have the running moments
            mean, var = self.running[i]
            sums = torch.stack([mean, var + mean * mean]) * self.batch.live
        out = self.empty(self.batch.rows, self.d)
        self.pointwise(NORM_FORWARD, x=x, out=out, weight=self.parameter[name + ".weight"][j],
                       bias=self.parameter[name + ".bias"][j], sums=sums if self.batch_norm else None)
        return out, sums

    def forward(self, x, derived, training=True):
        """x (rows, d) -> the last rows, and what the backward pass needs of each layer"""
        W, A, K, b, D = derived
        rows, kept = self.batch.rows, []
        self.moments = []
        sums = None
        if self.pre:
            sums = self.pointwise(GLU_FORWARD, x=x)
        for i in range(self.layers):
            u, used = self.norm(i, x, sums, training) if self.pre else (x, None)
            proj = self.projected(u, None if W is None else W[i])
            y, starts, total = self.scan_forward(u, proj, A[i], K[i], b[i], training)
            s, v = self.empty(rows, self.d), self.empty(rows, self.d)
            self.pointwise(GELU_FORWARD, y=y, u=u, weight=D[i], out=s, out2=v)
            h = F.linear(v, self.cast["out.weight"][i], self.cast["out.bias"][i])
            r = self.empty(rows, self.d)
            sums = self.pointwise(GLU_FORWARD, x=x, h=h, out=r)
            if self.pre:
                kept.append((u, proj, starts, total, s, v, h, x, used))
                x = r
            else:
                x, used = self.norm(i, r, sums, training)
                kept.append((u, proj, starts, total, s, v, h, r, used))
            if not training:
                kept.clear()
        last = None
        if self.final:
            last = x
            x, used = self.norm(self.layers, x, sums, training)
            last = (last, used)
        if training and self.batch_norm:
            self.update_running()
        return x, kept, last

    def update_running(self):
        m = torch.stack(self.moments) / self.batch.live
        m[:, 1] = (m[:, 1] - m[:, 0] ** 2) * (self.batch.live / (self.batch.live - 1))
        self.running.lerp_(m, self.momentum)

    def norm_back(self, i, x, dy, extra, h, sums):
        """Through norm i (None: no norm) and the gated unit before it: dr, dh, d out.bias"""
        dr = self.empty(self.batch.rows, self.d)
        dh = None if h is None else self.empty(self.batch.rows, 2 * self.d)
        if i is None:
            sums4 = self.pointwise(NORM_BACKWARD, x=x, dy=dy, extra=extra, h=h, out=dr, out2=dh)
            return dr, dh, sums4[:2].reshape(-1)
        name = "final_norm" if i == self.layers else "norm"
        j = 0 if i == self.layers else i
        both = None
        if self.batch_norm:
            second = self.pointwise(NORM_SUMS, x=x, dy=dy, sums=sums)
            both = torch.cat([sums, second])
        sums4 = self.pointwise(NORM_BACKWARD, x=x, dy=dy, extra=extra, h=h, out=dr, out2=dh, sums=both,
                               weight=self.parameter[name + ".weight"][j])
        db, dw = (second[0], second[1]) if self.batch_norm else (sums4[3], sums4[2])
        self.grad[name + ".weight"][j].copy_(dw)
        self.grad[name + ".bias"][j].copy_(db)
        return dr, dh, sums4[:2].reshape(-1)

    def product(self, a, b):
        """a^T b over all rows, in parts, float32"""
        rows = a.shape[0]
        parts = max(1, rows // 2048)
        if rows % parts:
            return (a.t() @ b).float()
        return torch.bmm(a.view(parts, -1, a.shape[1]).transpose(1, 2), b.view(parts, -1, b.shape[1])).sum(0, dtype=torch.float32)

    def backward(self, dy, derived, kept, last):
        """dy (rows, d), of the last rows; fills self.grad but for what comes through `derived`; returns dx and those gradients"""
        W, A, K, b, D = derived
        dW, dA, dK, db, dD = [None] * self.layers, torch.empty_like(A), torch.empty_like(K), torch.empty_like(b), torch.empty_like(D)
        extra = None
        if self.final:
            dy, dh, dbias = self.norm_back(self.layers, last[0], dy, None, kept[-1][6] if self.pre else None, last[1])
        elif self.pre:
            dy, dh, dbias = self.norm_back(None, dy, dy, None, kept[-1][6], None)
        for i in reversed(range(self.layers)):
            u, proj, starts, total, s, v, h, r, sums = kept.pop()
            if not self.pre:
                dy, dh, dbias = self.norm_back(i, r, dy, None, h, sums)
            dr = dy
            dv = dh @ self.cast["out.weight"][i]
            self.grad["out.weight"][i].copy_(self.product(dh, v))
            self.grad["out.bias"][i].copy_(dbias)
            ds = self.empty(self.batch.rows, self.d)
            dD[i] = self.pointwise(GELU_BACKWARD, x=s, u=u, dy=dv, out=ds)[0]
            du, dproj, dA[i], dK[i], db[i] = self.scan_backward(ds, u, proj, A[i], K[i], b[i], starts, total)
            if W is not None:
                dW[i] = self.product(u, dproj)
            g = self.empty(self.batch.rows, self.d)
            self.pointwise(GATHER, y=du, dy=ds, weight=D[i], extra=None if self.pre else dr, out=g)
            if W is not None:
                g.addmm_(dproj, W[i].t())
            if self.pre:
                dy, dh, dbias = self.norm_back(i, r, g, dr, kept[-1][6] if i else None, sums)
            else:
                dy = g
        return dy, (None if W is None else torch.stack(dW), dA, dK, db, dD)

    def encode(self, inputs):
        """tokens (rows) or features (rows, size) -> (one-hot or features, x)"""
        weight = self.parameter["encoder.weight"][0]
        if self.cfg["input"]["kind"] == "tokens":
            one = (inputs.unsqueeze(1) == torch.arange(weight.shape[0], device=self.device)).to(self.dtype)
            return one, F.embedding(inputs.long(), weight).to(self.dtype)
        return inputs, F.linear(inputs, weight, self.parameter["encoder.bias"][0]).to(self.dtype)

    def pool(self, x):
        out = torch.empty(self.batch.count, self.d, device=self.device)
        self.pointwise(POOL, blocks=self.batch.count, x=x, parts=out, sequences=self.batch.pooled)
        return out

    def prepare(self, batch):
        self.batch = batch
        self.cast = {k: self.parameter[k].to(self.dtype) for k in ("out.weight", "out.bias")}

    @torch.no_grad()
    def logits(self, inputs, batch):
        """With the running moments of batch norm"""
        self.prepare(batch)
        _, derived = self.derived()
        derived = (None if derived[0] is None else derived[0].to(self.dtype), *derived[1:])
        x, _, _ = self.forward(self.encode(inputs)[1], derived, training=False)
        return F.linear(self.pool(x), self.parameter["head.weight"][0], self.parameter["head.bias"][0])

    @torch.no_grad()
    def step(self, inputs, batch, labels, smoothing=0.0):
        """Mean loss and number of right answers (tensors); self.gradient holds the gradient"""
        self.prepare(batch)
        with torch.enable_grad():
            leaves, exact = self.derived()
        derived = (None if exact[0] is None else exact[0].detach().to(self.dtype), *(t.detach() for t in exact[1:]))
        given, x = self.encode(inputs)
        x, kept, last = self.forward(x, derived)
        pooled = self.pool(x)
        with torch.enable_grad():
            pooled.requires_grad_()
            logits = F.linear(pooled, leaves["head.weight"][0], leaves["head.bias"][0])
            loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
            dpooled, dhw, dhb = torch.autograd.grad(loss, (pooled, leaves["head.weight"], leaves["head.bias"]))
        each = dpooled / batch.pooled[1::2].clamp(min=1).unsqueeze(1)
        dy = F.pad(each, (0, 0, 0, 1)).to(self.dtype).index_select(0, batch.owner)
        dx, grads = self.backward(dy, derived, kept, last)
        named = [k for k in leaves if k in ("A_log", "A_imag", "B_weight", "B_bias", "C", "w", "b", "D")]
        through = [(t, g) for t, g in zip(exact, grads) if t is not None and t.requires_grad]     # without a bias K is a constant
        for k, g in zip(named, torch.autograd.grad([t for t, _ in through], [leaves[k] for k in named], [g for _, g in through])):
            self.grad[k].copy_(g)
        self.grad["head.weight"].copy_(dhw)
        self.grad["head.bias"].copy_(dhb)
        if self.cfg["input"]["kind"] == "tokens":
            self.grad["encoder.weight"][0].copy_(self.product(given, dx))
        else:
            wide = dx.float()
            self.grad["encoder.weight"][0].copy_(wide.t() @ given)
            self.grad["encoder.bias"][0].copy_(wide.sum(0))
        return loss.detach(), (logits.argmax(-1) == labels).sum()


class Replay:
    """One training step as a captured graph: its hundreds of launches cost a processor more time than the GPU needs for them."""

    def __init__(self, stack, rows, sequences, segment, lengths, smoothing=0.0):
        self.stack, device = stack, stack.device
        self.batch = Batch(lengths, rows, device, segment, sequences)
        features = stack.cfg["input"]["kind"] == "features"
        self.inputs = torch.zeros(rows, 1, device=device) if features else torch.zeros(rows, dtype=torch.uint8, device=device)
        self.labels = torch.zeros(sequences, dtype=torch.long, device=device)
        running = stack.running.clone()

        def step():
            self.loss, self.right = stack.step(self.inputs, self.batch, self.labels, smoothing)

        self.graph = None
        if device.type != "cuda" or os.environ.get("B2S6_NO_GRAPH"):
            self.run = step
            return
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            step()
            step()
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            step()
        stack.running.copy_(running)
        self.run = self.graph.replay

    def __call__(self, inputs, lengths, labels):
        """inputs (rows) or (rows, 1), labels (number of sequences), on the host"""
        full = torch.full((self.batch.count,), -100, dtype=torch.long)
        full[:len(labels)] = labels
        cuda = self.stack.device.type == "cuda"
        self.inputs.copy_(inputs.pin_memory() if cuda else inputs, non_blocking=True)
        self.labels.copy_(full.pin_memory() if cuda else full, non_blocking=True)
        self.batch.fill(lengths)
        self.run()
        return self.loss, self.right
