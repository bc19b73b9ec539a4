"""B2S6 (Block-Biased S6) sequence models in PyTorch, for training checkpoints that libb2s6 runs.

    model = Model(config(d_model=32, n_layers=3, input={"kind": "features", "size": 1},
                         unit={"h": 8, "d_state": 8}, pool="mean", head={"size": 10}))
    logits = model(torch.rand(16, 64, 1))              # (16, 10)
    export.save(model, "model.safetensors")            # then: b2s6 convert model.safetensors model.b2s6

The state_dict is the checkpoint: its names and shapes are the ones `b2s6 convert` reads, with complex tensors as
real ones whose last axis holds real and imaginary part. Needs torch only (1.13 or newer); CPU or GPU.

After "Block-Biased Mamba for Long-Range Sequence Processing" (Yu and Erichson, NeurIPS 2025, arXiv 2505.09022).
"""
import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

import scan as plain

DEFAULTS = {
    "b2s6": 1, "d_model": 32, "n_layers": 2, "input": {"kind": "tokens", "size": 256},
    "norm": {"kind": "layer", "eps": 1e-5, "place": "pre"}, "final_norm": {"kind": "none", "eps": 1e-5},
    "block": "s4", "bidirectional": False,
    "unit": {"h": 4, "d_state": 8, "complex": True, "a_scope": "layer", "b_weight": True, "b_bias": True,
             "c": "selective", "c_complex": False, "delta": "block", "dt_rank": 0, "discretization": "zoh",
             "conjugate": True, "skip": True},
    "pool": "none", "head": {"size": 0, "bias": True, "tied": False},
}


def config(**settings):
    """A complete configuration: DEFAULTS with the given settings; dictionaries are merged key by key."""
    full = copy.deepcopy(DEFAULTS)
    for key, value in settings.items():
        if isinstance(full.get(key), dict):
            full[key].update(value)
        else:
            full[key] = value
    if full["block"] == "mamba":
        full.setdefault("d_inner", 2 * full["d_model"])
        full.setdefault("d_conv", 4)
    return full


def check_config(c):
    """Refuse what no model can have, before it becomes a shape error somewhere inside."""
    def one_of(what, value, allowed):
        if value not in allowed:
            raise ValueError(f"{what} is {value!r}, not one of {', '.join(allowed)}")

    u = c["unit"]
    one_of("input.kind", c["input"]["kind"], ("tokens", "features"))
    one_of("block", c["block"], ("s4", "mamba"))
    one_of("norm.kind", c["norm"]["kind"], ("layer", "rms", "batch", "none"))
    one_of("norm.place", c["norm"]["place"], ("pre", "post"))
    one_of("final_norm.kind", c["final_norm"]["kind"], ("layer", "rms", "batch", "none"))
    one_of("pool", c["pool"], ("none", "mean", "last"))
    one_of("unit.a_scope", u["a_scope"], ("layer", "block", "channel"))
    one_of("unit.c", u["c"], ("selective", "constant"))
    one_of("unit.delta", u["delta"], ("block", "lowrank", "constant"))
    one_of("unit.discretization", u["discretization"], ("zoh", "euler"))
    width = c["d_inner"] if c["block"] == "mamba" else c["d_model"]
    if width % u["h"]:
        raise ValueError(f"width {width} is not a multiple of h = {u['h']}")
    if not (u["b_weight"] or u["b_bias"]):
        raise ValueError("the unit needs b_weight, b_bias or both")
    if u["delta"] == "lowrank" and u["dt_rank"] < 1:
        raise ValueError("delta = lowrank needs dt_rank >= 1")
    if c["bidirectional"] and c["block"] != "s4":
        raise ValueError("only s4 blocks can be bidirectional")
    if c["head"]["tied"] and (c["input"]["kind"] != "tokens" or c["head"]["size"] != c["input"]["size"]):
        raise ValueError("a tied head needs token input of the head's size")


def as_complex(t, is_complex):
    """A parameter (..., 2) as a complex tensor, or a real parameter unchanged."""
    return torch.view_as_complex(t.contiguous()) if is_complex else t


class Unit(nn.Module):
    """One recurrent unit: width d = h * p channels, n states a channel."""

    def __init__(self, cfg, width, scan=None):
        super().__init__()
        self.cfg, self.scan = cfg, scan or plain.scan
        self.h, self.n, self.p = cfg["h"], cfg["d_state"], width // cfg["h"]
        h, p, n = self.h, self.p, self.n
        rows = {"layer": 1, "block": h, "channel": width}[cfg["a_scope"]]
        pair = (2,) if cfg["complex"] else ()

        def add(name, *shape):
            self.register_parameter(name, nn.Parameter(torch.empty(*shape)))

        add("A_log", rows, n)
        if cfg["complex"]:
            add("A_imag", rows, n)
        if cfg["b_weight"]:
            add("B_weight", h, n, p, *pair)
        if cfg["b_bias"]:
            add("B_bias", h, p, n, *pair)
        add("C", h, p, n, *((2,) if cfg["c_complex"] else ()))
        if cfg["delta"] == "block":
            add("w", h, p)
        elif cfg["delta"] == "lowrank":
            add("x_weight", cfg["dt_rank"], width)
            add("dt_weight", width, cfg["dt_rank"])
        add("b", h, p)
        if cfg["skip"]:
            add("D", width)
        self.reset_parameters()

    def reset_parameters(self, step_min=1e-3, step_max=1e-1):
        """S4D-Lin poles -1/2 + i pi n (real: -1 ... -n), steps log-uniform in [step_min, step_max]."""
        c, n, p = self.cfg, self.n, self.p
        with torch.no_grad():
            if c["complex"]:
                self.A_log.fill_(math.log(0.5))
                self.A_imag.copy_((math.pi * torch.arange(n)).expand_as(self.A_imag))
            else:
                self.A_log.copy_(torch.log(torch.arange(1, n + 1).float()).expand_as(self.A_log))
            if c["b_weight"]:
                self.B_weight.normal_(0, p ** -0.5)
            if c["b_bias"]:                     # around the constant B = 1 of S4D, different in every channel
                self.B_bias.normal_(0, 0.5)
                (self.B_bias[..., 0] if c["complex"] else self.B_bias).add_(1)
            self.C.normal_(0, p ** -0.5 if c["c"] == "selective" else 1.0)
            log_step = torch.empty_like(self.b).uniform_(math.log(step_min), math.log(step_max))
            if c["delta"] == "constant":
                self.b.copy_(log_step)
            else:                               # softplus(b) = step
                self.b.copy_(torch.log(torch.expm1(torch.exp(log_step))))
            if c["delta"] == "block":
                self.w.normal_(0, p ** -0.5)
            elif c["delta"] == "lowrank":
                self.x_weight.normal_(0, self.x_weight.shape[1] ** -0.5)
                bound = c["dt_rank"] ** -0.5
                self.dt_weight.uniform_(-bound, bound)
            if c["skip"]:
                self.D.fill_(1)

    def poles(self):
        """A (h, p, n), whatever its scope."""
        h, p, n = self.h, self.p, self.n
        a = -torch.exp(self.A_log)
        if self.cfg["complex"]:
            a = torch.complex(a, self.A_imag)
        a = a.reshape(h, p, n) if self.cfg["a_scope"] == "channel" else a.reshape(-1, 1, n)
        return a.expand(h, p, n)

    def steps(self, u, blocks):
        """delta (batch, L, h, p)"""
        kind = self.cfg["delta"]
        if kind == "constant":
            return torch.exp(self.b).expand(blocks.shape)
        if kind == "block":
            z = (blocks * self.w).sum(-1, keepdim=True) + self.b
        else:
            z = F.linear(F.linear(u, self.x_weight), self.dt_weight).reshape(blocks.shape) + self.b
        # F.softplus turns linear above a threshold; this form is right to the last digits everywhere.
        return torch.log1p(torch.exp(-z.abs())) + z.clamp(min=0)

    def forward(self, u):
        """u (batch, L, d) -> y (batch, L, d)"""
        c = self.cfg
        blocks = u.reshape(*u.shape[:2], self.h, self.p)
        B = B_bias = None
        if c["b_weight"]:
            spec = "bljp,jnpc->bljnc" if c["complex"] else "bljp,jnp->bljn"
            B = as_complex(torch.einsum(spec, blocks, self.B_weight), c["complex"])
        if c["b_bias"]:
            B_bias = as_complex(self.B_bias, c["complex"])
        if c["c"] == "constant":
            C = as_complex(self.C, c["c_complex"])
        else:
            spec = "bljp,jpnc->bljnc" if c["c_complex"] else "bljp,jpn->bljn"
            C = as_complex(torch.einsum(spec, blocks, self.C), c["c_complex"])
        y = self.scan(blocks, self.steps(u, blocks), self.poles(), B, B_bias, C,
                      c["discretization"] == "zoh", 2.0 if c["conjugate"] else 1.0)
        y = y.reshape(u.shape)
        return y + self.D * u if c["skip"] else y


class Norm(nn.Module):
    """Layer, RMS or batch norm over the last axis, or none; batch norm averages over batch and time."""

    def __init__(self, kind, eps, width, momentum=0.1):
        super().__init__()
        self.kind, self.eps, self.momentum = kind, eps, momentum
        if kind == "none":
            return
        self.weight = nn.Parameter(torch.ones(width))
        if kind != "rms":
            self.bias = nn.Parameter(torch.zeros(width))
        if kind == "batch":
            self.register_buffer("running_mean", torch.zeros(width))
            self.register_buffer("running_var", torch.ones(width))

    def forward(self, x):
        if self.kind == "none":
            return x
        if self.kind == "layer":
            return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)
        if self.kind == "rms":
            return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight
        flat = F.batch_norm(x.reshape(-1, x.shape[-1]), self.running_mean, self.running_var, self.weight, self.bias,
                            self.training, self.momentum, self.eps)
        return flat.reshape(x.shape)


class CausalConv(nn.Module):
    """Depthwise convolution over the last d_conv steps; the last tap meets the newest step."""

    def __init__(self, width, taps):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, taps).uniform_(-taps ** -0.5, taps ** -0.5))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        width, taps = self.weight.shape
        past = F.pad(x.transpose(1, 2), (taps - 1, 0))
        return F.conv1d(past, self.weight.unsqueeze(1), self.bias, groups=width).transpose(1, 2)


class Layer(nn.Module):
    """A block with its norm and residual."""

    def __init__(self, c, dropout=0.0, scan=None):
        super().__init__()
        self.pre, self.kind, self.d_inner = c["norm"]["place"] == "pre", c["block"], c.get("d_inner")
        d = c["d_model"]
        self.norm = Norm(c["norm"]["kind"], c["norm"]["eps"], d)
        self.unit = Unit(c["unit"], d if self.kind == "s4" else self.d_inner, scan)
        self.unit_rev = Unit(c["unit"], d, scan) if c["bidirectional"] else None
        if self.kind == "s4":
            self.out = nn.Linear(d, 2 * d)
        else:
            bias = c.get("proj_bias", False)
            self.in_proj = nn.Linear(d, 2 * self.d_inner, bias=bias)
            self.conv = CausalConv(self.d_inner, c["d_conv"])
            self.out_proj = nn.Linear(self.d_inner, d, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def mix(self, u):
        if self.kind == "s4":
            y = self.unit(u)
            if self.unit_rev is not None:
                y = y + self.unit_rev(u.flip(1)).flip(1)
            return F.glu(self.out(self.dropout(F.gelu(y))), -1)
        v, z = self.in_proj(u).split(self.d_inner, -1)
        return self.out_proj(self.dropout(self.unit(F.silu(self.conv(v))) * F.silu(z)))

    def forward(self, x):
        if self.pre:
            return x + self.dropout(self.mix(self.norm(x)))
        return self.norm(x + self.dropout(self.mix(x)))


class Model(nn.Module):
    """Encoder, layers, final norm, pooling, head.

    dropout acts in training only and is not part of the configuration; scan replaces scan.scan (same arguments).
    """

    def __init__(self, cfg, dropout=0.0, scan=None):
        super().__init__()
        check_config(cfg)
        self.cfg = cfg
        d, head = cfg["d_model"], cfg["head"]
        if cfg["input"]["kind"] == "tokens":
            self.encoder = nn.Embedding(cfg["input"]["size"], d)
            if head["tied"]:                    # logits of unit size at the start, not of size sqrt(d)
                nn.init.normal_(self.encoder.weight, 0, d ** -0.5)
        else:
            self.encoder = nn.Linear(cfg["input"]["size"], d)
        self.layers = nn.ModuleList(Layer(cfg, dropout, scan) for _ in range(cfg["n_layers"]))
        self.final_norm = Norm(cfg["final_norm"]["kind"], cfg["final_norm"].get("eps", 1e-5), d)
        if head["size"]:
            self.head = Head(d, head)

    def forward(self, inputs, every_step=False):
        """Tokens (batch, L) or features (batch, L, size) -> (batch, L, size), or (batch, size) of a pooled model.

        every_step: give a pooled model's value at each step, for the sequence up to there.
        """
        x = self.encoder(inputs)
        for layer in self.layers:
            x = layer(x)
        x = self.final_norm(x)
        pool = self.cfg["pool"]
        if pool == "mean" and every_step:
            x = x.cumsum(1) / torch.arange(1, x.shape[1] + 1, device=x.device, dtype=x.dtype).unsqueeze(-1)
        elif pool == "mean":
            x = x.mean(1)
        elif pool == "last" and not every_step:
            x = x[:, -1]
        if self.cfg["head"]["size"] == 0:
            return x
        return self.head(x, self.encoder.weight if self.cfg["head"]["tied"] else None)


class Head(nn.Module):
    """Linear head; a tied one has no weight of its own."""

    def __init__(self, d, c):
        super().__init__()
        if not c["tied"]:
            self.weight = nn.Parameter(torch.empty(c["size"], d).uniform_(-d ** -0.5, d ** -0.5))
        self.bias = nn.Parameter(torch.zeros(c["size"])) if c["bias"] else None

    def forward(self, x, tied=None):
        return F.linear(x, self.weight if tied is None else tied, self.bias)


# The parameters that place poles and steps: a full learning rate makes the recurrence jump, weight decay
# would pull the poles towards -1.
SLOW = ("A_log", "A_imag", "w", "b", "x_weight", "dt_weight")


def parameter_groups(model, lr, slow_lr, weight_decay):
    """Optimiser groups: a reduced rate without decay for w, b and A; no decay for vectors; the rest as given."""
    slow, plain_group, decayed = [], [], []
    for name, p in model.named_parameters():
        if ".unit" in name and name.rsplit(".", 1)[1] in SLOW:
            slow.append(p)
        elif p.dim() < 2 or name.endswith("B_bias"):
            plain_group.append(p)
        else:
            decayed.append(p)
    return [{"params": slow, "lr": slow_lr, "weight_decay": 0.0},
            {"params": plain_group, "lr": lr, "weight_decay": 0.0},
            {"params": decayed, "lr": lr, "weight_decay": weight_decay}]
