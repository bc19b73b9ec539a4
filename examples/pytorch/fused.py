"""The streaming path of a language model of mamba blocks with B2S6 units: the same parameters as b2s6.Model, fused
kernels on a GPU, plain PyTorch elsewhere.

    fused.supports(model)                           whether this path covers the configuration
    logits, state = fused.forward(model, tokens)    tokens (sequences, L), L a multiple of 4; state continues the streams

scan.cu holds the scan with its gate, pointwise.cu the convolution and the RMS norm. They are compiled on first use by
nvcc (from PATH or CUDA_HOME) into a shared library in __pycache__, or in the folder B2S6_KERNELS, and called through
ctypes. With dtype=torch.bfloat16 activations are stored in 16 bits; the residual stream, states and sums stay float32.
Without a GPU the Mixer's work is done by plain_mixer, many times slower, and dtype has to be torch.float32.
"""
import ctypes
import functools
import os
import shutil
import subprocess

import torch
from torch.nn import functional as F

from scan import exp_and_expm1

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ("scan.cu", "pointwise.cu")
P = ctypes.c_void_p


def structure(name, pointers, longs, ints, floats=()):
    fields = [(f, P) for f in pointers.split()] + [(f, ctypes.c_long) for f in longs.split()]
    return type(name, (ctypes.Structure,), {"_fields_": fields + [(f, ctypes.c_int) for f in ints.split()]
                                            + [(f, ctypes.c_float) for f in floats]})


ScanArgs = structure("ScanArgs", "u gate proj A B b D x0 out x1 starts dout du dgate dproj dA dB db dD",
                     "gate_stride dgate_stride", "sequences length blocks")
ConvArgs = structure("ConvArgs", "v past weight bias y dy dv dweight", "v_stride dv_stride", "sequences length channels")
NormArgs = structure("NormArgs", "x weight scale y dy dx dweight", "rows", "", ("eps",))


def build(folder):
    """Compile the kernels for the present GPU; a library newer than its sources is taken as it is."""
    major, minor = torch.cuda.get_device_capability()
    target = os.path.join(folder, f"kernels_sm{major}{minor}.so")
    sources = [os.path.join(HERE, s) for s in SOURCES]
    if not os.path.exists(target) or os.path.getmtime(target) < max(map(os.path.getmtime, sources)):
        home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
        nvcc = shutil.which("nvcc") or os.path.join(home, "bin", "nvcc")
        subprocess.check_call([nvcc, "-O3", "-std=c++17", f"-arch=sm_{major}{minor}", "-shared", "-Xcompiler", "-fPIC",
                               "-o", target + ".part", *sources])
        os.replace(target + ".part", target)
    return target


@functools.lru_cache(None)
def library():
    folder = os.environ.get("B2S6_KERNELS", os.path.join(HERE, "__pycache__"))
    os.makedirs(folder, exist_ok=True)
    lib = ctypes.CDLL(build(folder))
    lib.b2s6_norm_parts.restype = ctypes.c_long
    lib.b2s6_norm_parts.argtypes = [ctypes.c_long]
    return lib


def call(name, args, *numbers):
    stream = torch.cuda.current_stream().cuda_stream if torch.cuda.is_available() else None
    status = getattr(library(), name)(ctypes.byref(args), *numbers, P(stream))
    if status:
        raise RuntimeError(f"{name} failed with status {status}")


def place(t, offset=0):
    """Address of a tensor's element `offset` of its last axis; None stays None."""
    return None if t is None else t.data_ptr() + offset * t.element_size()


def row_size(n):
    """Width of a row of proj: Re B, Im B, C, dt, padded to 16 bytes of bfloat16"""
    return (3 * n + 1 + 7) // 8 * 8


class Mixer(torch.autograd.Function):
    """From in_proj's output to out_proj's input: convolution, projections to B, C and dt, scan, gate."""

    @staticmethod
    def forward(ctx, xz, conv_weight, conv_bias, W, A, B, b, D, x0, past):
        """xz (S, L, 2 d); W (h, ROW, p) of xz's type; A, B (d, n, 2); b, D (d); returns (S, L, d) and the last states"""
        S, L, d = xz.shape[0], xz.shape[1], xz.shape[2] // 2
        h, p, n = W.shape[0], W.shape[2], A.shape[1]
        half = int(xz.dtype == torch.bfloat16)
        u = torch.empty(S, L, d, dtype=xz.dtype, device=xz.device)
        call("b2s6_conv", ConvArgs(v=place(xz), past=place(past), weight=place(conv_weight), bias=place(conv_bias),
                                   y=place(u), v_stride=2 * d, sequences=S, length=L, channels=d), half, 0)
        proj = torch.bmm(u.view(S * L, h, p).transpose(0, 1), W.transpose(1, 2))
        out, x1 = torch.empty_like(u), torch.empty(S, d, n, 2, device=xz.device)
        starts = None
        if any(ctx.needs_input_grad):
            starts = torch.empty(S, L // library().b2s6_scan_chunk(), h, n, p, 2, device=xz.device)
        call("b2s6_scan", ScanArgs(u=place(u), gate=place(xz, d), proj=place(proj), A=place(A), B=place(B), b=place(b),
                                   D=place(D), x0=place(x0), out=place(out), x1=place(x1), starts=place(starts),
                                   gate_stride=2 * d, sequences=S, length=L, blocks=h), n, p, half, 0)
        ctx.save_for_backward(xz, conv_weight, conv_bias, W, A, B, b, D, past, u, proj, starts)
        ctx.mark_non_differentiable(x1)
        return out, x1

    @staticmethod
    def backward(ctx, dout, _):
        xz, conv_weight, conv_bias, W, A, B, b, D, past, u, proj, starts = ctx.saved_tensors
        S, L, d = u.shape
        h, p, n = W.shape[0], W.shape[2], A.shape[1]
        half = int(xz.dtype == torch.bfloat16)
        dout = dout.contiguous()
        du, dxz, dproj = torch.empty_like(u), torch.empty_like(xz), torch.empty_like(proj)
        dA, dB = (torch.empty(S, d, n, 2, device=xz.device) for _ in range(2))
        db, dD = (torch.empty(S, d, device=xz.device) for _ in range(2))
        call("b2s6_scan", ScanArgs(u=place(u), gate=place(xz, d), proj=place(proj), A=place(A), B=place(B), b=place(b),
                                   D=place(D), starts=place(starts), dout=place(dout), du=place(du), dgate=place(dxz, d),
                                   dproj=place(dproj), dA=place(dA), dB=place(dB), db=place(db), dD=place(dD),
                                   gate_stride=2 * d, dgate_stride=2 * d, sequences=S, length=L, blocks=h), n, p, half, 1)
        blocks = u.view(S * L, h, p).transpose(0, 1)
        dW = torch.bmm(dproj.transpose(1, 2), blocks)
        du.view(S * L, h, p).transpose(0, 1).baddbmm_(dproj, W)
        spans = -(-L // library().b2s6_conv_span())
        dweight = torch.empty(S * spans, d, 5, device=xz.device)
        call("b2s6_conv", ConvArgs(v=place(xz), past=place(past), weight=place(conv_weight), bias=place(conv_bias),
                                   dy=place(du), dv=place(dxz), dweight=place(dweight), v_stride=2 * d, dv_stride=2 * d,
                                   sequences=S, length=L, channels=d), half, 1)
        dweight = dweight.sum(0)
        return (dxz, dweight[:, :4].contiguous(), dweight[:, 4].contiguous(), dW, dA.sum(0), dB.sum(0), db.sum(0),
                dD.sum(0), None, None)


def plain_mixer(xz, conv_weight, conv_bias, W, A, B, b, D, x0, past):
    """What Mixer computes, in plain PyTorch"""
    S, L, d = xz.shape[0], xz.shape[1], xz.shape[2] // 2
    h, p, n = W.shape[0], W.shape[2], A.shape[1]
    v, gate = xz.split(d, -1)
    v = torch.cat([v.new_zeros(S, 3, d) if past is None else past, v], 1)
    u = F.silu(F.conv1d(v.transpose(1, 2), conv_weight.unsqueeze(1), conv_bias, groups=d)).transpose(1, 2)
    blocks = u.transpose(0, 1).reshape(L, S, h, p)                                  # time first: a step is one piece
    proj = torch.einsum("lsjp,jrp->lsjr", blocks, W)
    z = proj[..., 3 * n:3 * n + 1] + b.view(h, p)
    delta = torch.log1p(torch.exp(-z.abs())) + z.clamp(min=0)
    decay, grown = exp_and_expm1(delta.unsqueeze(-1) * torch.view_as_complex(A).view(h, p, n))
    selective = torch.complex(proj[..., :n].contiguous(), proj[..., n:2 * n].contiguous()).unsqueeze(-2)
    drive = grown * ((selective + torch.view_as_complex(B).view(h, p, n)) * blocks.unsqueeze(-1))
    x, states = torch.zeros_like(drive[0]) if x0 is None else torch.view_as_complex(x0).view(S, h, p, n), []
    for k in range(L):
        x = torch.addcmul(drive[k], decay[k], x)
        states.append(x)
    x = torch.stack(states)
    y = 2 * (x.real * proj[..., 2 * n:3 * n].unsqueeze(-2)).sum(-1)
    y = y.reshape(L, S, d).transpose(0, 1) + D * u
    return y * F.silu(gate), torch.view_as_real(x[-1].detach()).reshape(S, d, n, 2)


class RmsNorm(torch.autograd.Function):
    """float32 (..., d) -> bfloat16"""

    @staticmethod
    def forward(ctx, x, weight, eps):
        rows = x.numel() // x.shape[-1]
        y = torch.empty(x.shape, dtype=torch.bfloat16, device=x.device)
        scale = torch.empty(rows, device=x.device)
        call("b2s6_norm", NormArgs(x=place(x), weight=place(weight), scale=place(scale), y=place(y), rows=rows, eps=eps),
             x.shape[-1], 0)
        ctx.save_for_backward(x, weight, scale)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, scale = ctx.saved_tensors
        rows, dy = scale.numel(), dy.contiguous()
        dx = torch.empty_like(x)
        dweight = torch.empty(library().b2s6_norm_parts(rows), x.shape[-1], device=x.device)
        call("b2s6_norm", NormArgs(x=place(x), weight=place(weight), scale=place(scale), dy=place(dy), dx=place(dx),
                                   dweight=place(dweight), rows=rows), x.shape[-1], 1)
        return dx, dweight.sum(0), None


def supports(model):
    c, u = model.cfg, model.cfg["unit"]
    return (c["input"]["kind"] == "tokens" and c["block"] == "mamba" and c["norm"] == {**c["norm"], "kind": "rms", "place": "pre"}
            and c["final_norm"]["kind"] == "rms" and c["d_conv"] == 4 and c["pool"] == "none" and u["complex"]
            and u["a_scope"] != "channel" and u["b_weight"] and u["b_bias"] and u["c"] == "selective"
            and not u["c_complex"] and u["delta"] == "block" and u["discretization"] == "zoh" and u["conjugate"]
            and u["skip"] and u["d_state"] in (8, 16) and c["d_inner"] // u["h"] in (32, 64))


def unit_arrays(unit):
    """What the kernels take of a unit: W (h, ROW, p), A, B (d, n, 2). B is divided by A (see scan.cu)."""
    h, p, n = unit.h, unit.p, unit.n
    re, im = -torch.exp(unit.A_log), unit.A_imag                                    # (1 | h, n)
    size = re * re + im * im
    inv_re, inv_im = re / size, -im / size

    def divided(t, axes):
        a, b = inv_re.reshape(axes), inv_im.reshape(axes)
        return t[..., 0] * a - t[..., 1] * b, t[..., 0] * b + t[..., 1] * a

    w_re, w_im = divided(unit.B_weight, (-1, n, 1))                                 # (h, n, p)
    W = torch.cat([w_re, w_im, unit.C.transpose(1, 2), unit.w.unsqueeze(1)], 1)
    W = F.pad(W, (0, 0, 0, row_size(n) - W.shape[1]))
    A = torch.stack([re, im], -1).unsqueeze(1).expand(h, p, n, 2).reshape(h * p, n, 2)
    B = torch.stack(divided(unit.B_bias, (-1, 1, n)), -1).reshape(h * p, n, 2)
    return W, A.contiguous(), B.contiguous()


def forward(model, tokens, state=None, dtype=torch.bfloat16):
    """Logits (S, L, size) of `dtype`, and the state to pass on (detached): one (x, last inputs) a layer"""
    d, after = model.cfg["d_inner"], []
    mixer = Mixer.apply if tokens.is_cuda else plain_mixer

    def norm(module, x):
        return RmsNorm.apply(x, module.weight, module.eps) if dtype == torch.bfloat16 else module(x)

    x = model.encoder(tokens)
    for i, layer in enumerate(model.layers):
        x0, past = state[i] if state is not None else (None, None)
        xz = F.linear(norm(layer.norm, x), layer.in_proj.weight.to(dtype))
        W, A, B = unit_arrays(layer.unit)
        y, x1 = mixer(xz, layer.conv.weight, layer.conv.bias, W.to(dtype), A, B, layer.unit.b.reshape(-1),
                      layer.unit.D, x0, past)
        after.append((x1, xz[:, -3:, :d].detach().contiguous()))
        x = x + F.linear(y, layer.out_proj.weight.to(dtype))
    head = model.encoder.weight if model.cfg["head"]["tied"] else model.head.weight
    bias = model.head.bias
    return F.linear(norm(model.final_norm, x), head.to(dtype), None if bias is None else bias.to(dtype)), after
