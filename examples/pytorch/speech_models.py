"""Three kinds of causal models for the spoken digits, many of each trained side by side: B2S6, GRU, DS-CNN.

All parameters of M models lie in one tensor (M, parameters), so that one optimiser step serves all. A model takes features
(M, batch, steps, 48) and gives logits (M, batch, steps, 11). `b2s6_tensors` gives one B2S6 model as export.py writes it.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

import b2s6
import scan_triton
from speech_data import BANDS, CLASSES, FRAMES_A_STEP

INPUTS = BANDS * FRAMES_A_STEP


def linear(x, weight, bias):
    """x (M, rows, in), weight (M, out, in), bias (M, out)"""
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


def drop(x, rate):
    """Dropout with a rate for each model, rate (M); None: no dropout"""
    if rate is None:
        return x
    keep = (1 - rate).view(-1, *[1] * (x.dim() - 1))
    return x * (torch.rand_like(x) < keep) / keep


class Many(nn.Module):
    """The tensor of all parameters and its parts by name: inits is one {name: tensor} a model."""

    slow = ()                                   # name endings of parameters with a reduced rate
    def __init__(self, inits):
        super().__init__()
        self.names = list(inits[0])
        self.shapes = [inits[0][k].shape for k in self.names]
        self.sizes = [s.numel() for s in self.shapes]
        flat = torch.stack([torch.cat([i[k].detach().flatten() for k in self.names]) for i in inits])
        self.flat = nn.Parameter(flat)
        rate, decay = [], []
        for name, shape, size in zip(self.names, self.shapes, self.sizes):
            is_slow = name.endswith(self.slow) if self.slow else False
            rate.append(torch.full((size,), 0.25 if is_slow else 1.0))
            decay.append(torch.full((size,), 0.0 if is_slow or len(shape) < 2 or name.endswith("B_bias") else 1.0))
        self.register_buffer("rate", torch.cat(rate))
        self.register_buffer("decay", torch.cat(decay))

    def parts(self):
        M = self.flat.shape[0]
        return {k: t.reshape(M, *s) for k, s, t in zip(self.names, self.shapes, self.flat.split(self.sizes, 1))}

    def one(self, m):
        return {k: v[m].detach().cpu() for k, v in self.parts().items()}


class ManyB2S6(Many):
    slow = ("A_log", "A_imag", ".w", "unit.b")

    def __init__(self, seeds, width=32, layers=3, h=8, n=8, steps=(0.02, 0.5)):
        self.cfg = b2s6.config(d_model=width, n_layers=layers, input={"kind": "features", "size": INPUTS},
                               unit={"h": h, "d_state": n}, head={"size": CLASSES})
        inits = []
        for seed in seeds:
            torch.manual_seed(seed)
            model = b2s6.Model(self.cfg)
            for layer in model.layers:
                layer.unit.reset_parameters(*steps)
            inits.append(dict(model.state_dict()))
        super().__init__(inits)

    def unit(self, v, g):
        """v (M, batch, steps, d) -> the same shape; g(name): a parameter"""
        M, batch, steps, d = v.shape
        h, n = self.cfg["unit"]["h"], self.cfg["unit"]["d_state"]
        p = d // h
        u = v.view(M, batch, steps, h, p).permute(0, 3, 1, 2, 4).reshape(M * h, batch, steps, p)
        B = g("B_weight")                                                       # (M, h, n, p, 2)
        W = torch.cat([B[..., 0], B[..., 1], g("C").transpose(-1, -2), g("w").unsqueeze(-2)], -2).reshape(M * h, 3 * n + 1, p)
        proj = torch.bmm(u.reshape(M * h, batch * steps, p), W.transpose(1, 2)).view(M * h, batch, steps, 3 * n + 1)
        A = torch.stack([-torch.exp(g("A_log")), g("A_imag")], -1).expand(M, h, n, 2).reshape(M * h, n, 2)
        y = scan_triton.unit(u, proj, A, g("B_bias").reshape(M * h, p, n, 2), g("b").reshape(M * h, p), g("D").reshape(M * h, p))
        return y.view(M, h, batch, steps, p).permute(0, 2, 3, 1, 4).reshape(v.shape)

    def forward(self, x, dropout=None):
        q = self.parts()
        M, batch, steps = x.shape[:3]
        d = self.cfg["d_model"]
        x = linear(x.reshape(M, batch * steps, -1), q["encoder.weight"], q["encoder.bias"])
        for i in range(self.cfg["n_layers"]):
            g = lambda name: q[f"layers.{i}.unit.{name}"]
            v = F.layer_norm(x, (d,)) * q[f"layers.{i}.norm.weight"].unsqueeze(1) + q[f"layers.{i}.norm.bias"].unsqueeze(1)
            y = drop(F.gelu(self.unit(v.view(M, batch, steps, d), g).reshape(M, batch * steps, d)), dropout)
            y = F.glu(linear(y, q[f"layers.{i}.out.weight"], q[f"layers.{i}.out.bias"]), -1)
            x = x + drop(y, dropout)
        return linear(x, q["head.weight"], q["head.bias"]).view(M, batch, steps, -1)


def gru_cell(pre, back, h):
    """pre, back (M, batch, 3 width): what input and state give to the gates r, z and the candidate; h (M, batch, width)"""
    H = h.shape[-1]
    if h.is_cuda:                               # one kernel each way
        return torch.ops.aten._thnn_fused_gru_cell(pre.view(-1, 3 * H), back.reshape(-1, 3 * H), h.reshape(-1, H))[0].view(h.shape)
    gates = torch.sigmoid(pre[..., :2 * H] + back[..., :2 * H])
    new = torch.tanh(pre[..., 2 * H:] + gates[..., :H] * back[..., 2 * H:])
    return torch.lerp(new, h, gates[..., H:])


class ManyGRU(Many):
    """Layers of gated recurrent units, then a linear head."""

    def __init__(self, seeds, width=30, layers=2):
        self.layers, self.width = layers, width
        inits = []
        for seed in seeds:
            torch.manual_seed(seed)
            bound = width ** -0.5
            t = {}
            for i in range(layers):
                t[f"{i}.in"] = torch.empty(3 * width, width if i else INPUTS).uniform_(-bound, bound)
                t[f"{i}.in_bias"] = torch.zeros(3 * width)
                t[f"{i}.back"] = torch.cat([nn.init.orthogonal_(torch.empty(width, width)) for _ in range(3)])
                t[f"{i}.back_bias"] = torch.zeros(3 * width)
            t["head"], t["head_bias"] = torch.empty(CLASSES, width).uniform_(-bound, bound), torch.zeros(CLASSES)
            inits.append(t)
        super().__init__(inits)

    def forward(self, x, dropout=None):
        q = self.parts()
        M, batch, steps = x.shape[:3]
        H = self.width
        for i in range(self.layers):
            pre = linear(x.reshape(M, batch * steps, -1), q[f"{i}.in"], q[f"{i}.in_bias"]).view(M, batch, steps, 3 * H)
            pre = pre.permute(2, 0, 1, 3).contiguous()
            h, out = x.new_zeros(M, batch, H), []
            for k in range(steps):
                h = gru_cell(pre[k], linear(h, q[f"{i}.back"], q[f"{i}.back_bias"]), h)
                out.append(h)
            x = drop(torch.stack(out, 2), dropout)
        return linear(x.reshape(M, batch * steps, H), q["head"], q["head_bias"]).view(M, batch, steps, -1)


class ManyCNN(Many):
    """A depthwise separable network over frames and bands, causal in time: a convolution of 8 frames x 6 bands, then blocks of
    a depthwise 3 x 3 (dilated in time) and a pointwise convolution, each with batch norm and ReLU; mean over bands, head.
    One step sees 0.96 s. Batch norm's running means are buffers, in the order of the layers."""

    dilations = (1, 2, 4, 6)

    def __init__(self, seeds, width=44):
        C = self.width = width
        inits = []
        for seed in seeds:
            torch.manual_seed(seed)
            t = {"first": torch.randn(C, 1, 8, 6) * 48 ** -0.5}
            for i in range(2 * len(self.dilations) + 1):
                t[f"norm{i}.weight"], t[f"norm{i}.bias"] = torch.ones(C), torch.zeros(C)
            for i, _ in enumerate(self.dilations):
                t[f"depth{i}"] = torch.randn(C, 1, 3, 3) / 3 * 1.4
                t[f"point{i}"] = torch.randn(C, C) * (2 / C) ** 0.5
            t["head"], t["head_bias"] = torch.empty(CLASSES, C).uniform_(-C ** -0.5, C ** -0.5), torch.zeros(CLASSES)
            inits.append(t)
        super().__init__(inits)
        norms = 2 * len(self.dilations) + 1
        self.register_buffer("means", torch.zeros(norms, len(seeds) * C))
        self.register_buffer("variances", torch.ones(norms, len(seeds) * C))

    def normed(self, x, q, i):
        """x (batch, M C, steps, bands)"""
        return F.relu(F.batch_norm(x, self.means[i], self.variances[i], q[f"norm{i}.weight"].flatten(),
                                   q[f"norm{i}.bias"].flatten(), self.training, 0.02))

    def forward(self, x, dropout=None):
        q = self.parts()
        M, batch, steps = x.shape[:3]
        C = self.width
        x = x.view(M, batch, steps * FRAMES_A_STEP, BANDS).transpose(0, 1)       # (batch, M, frames, bands)
        x = F.conv2d(F.pad(x, (2, 2, 6, 0)), q["first"].flatten(0, 1), stride=2, groups=M)
        x = self.normed(x, q, 0)
        for i, d in enumerate(self.dilations):
            x = F.conv2d(F.pad(x, (1, 1, 2 * d, 0)), q[f"depth{i}"].flatten(0, 1), dilation=(d, 1), groups=M * C)
            x = self.normed(x, q, 2 * i + 1)
            x = torch.matmul(q[f"point{i}"], x.reshape(batch, M, C, -1)).reshape(x.shape)
            x = self.normed(x, q, 2 * i + 2)
        x = x.reshape(batch, M, C, steps, -1).mean(-1).permute(1, 0, 3, 2)          # (M, batch, steps, C)
        return linear(drop(x, dropout).reshape(M, batch * steps, C), q["head"], q["head_bias"]).view(M, batch, steps, -1)


KINDS = {"b2s6": ManyB2S6, "gru": ManyGRU, "ds-cnn": ManyCNN}
