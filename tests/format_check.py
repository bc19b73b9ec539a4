#!/usr/bin/python3
"""Reads .b2s6 files, version 2, by docs/format.md alone, runs them in float64 and compares with stored outputs.

    format_check.py MODEL.b2s6                            check every byte against the format, print what the model is
    format_check.py MODEL.b2s6 inputs.npy outputs.npy     and run it: error relative to the largest output, at most 1e-5;
                                                          3e-4 with integer weights, whose inputs the library rounds to 16 bits

It shares no code with the library, the converter or the PyTorch module, so it shows that the page is enough to read
a file. Needs NumPy.
"""
import math
import struct
import sys
import zlib

import numpy as np

FLOAT_BITS = (0, 0x7f7fffff)
# number: (name, least, most)
MODEL_KEYS = {1: ("d_model", 1, 65536), 2: ("n_layers", 1, 4096), 3: ("input_kind", 1, 2), 4: ("input_size", 1, 1 << 24),
              5: ("head_size", 0, 1 << 24), 6: ("head_bias", 0, 1), 7: ("head_tied", 0, 1), 8: ("final_norm", 0, 3),
              9: ("final_norm_eps", *FLOAT_BITS), 10: ("pool", 0, 2)}
ALL_BLOCKS = {1: ("block", 1, 4), 2: ("norm", 0, 3), 3: ("norm_place", 1, 2), 4: ("norm_eps", *FLOAT_BITS)}
UNIT_KEYS = {**ALL_BLOCKS, 32: ("h", 1, 65536), 33: ("d_state", 1, 4096), 34: ("complex", 0, 1), 35: ("a_scope", 1, 3), 36: ("b", 1, 3),
              37: ("c", 1, 2), 38: ("c_complex", 0, 1), 39: ("delta", 1, 3), 40: ("dt_rank", 0, 65536),
              41: ("discretization", 1, 2), 42: ("conjugate", 0, 1), 43: ("skip", 0, 1), 44: ("states", 1, 2)}
S4_KEYS = {**UNIT_KEYS, 16: ("bidirectional", 0, 1)}
MAMBA_KEYS = {**UNIT_KEYS, 17: ("d_inner", 1, 65536), 18: ("d_conv", 1, 64), 19: ("proj_biases", 0, 3)}
MAMBA2_KEYS = {**ALL_BLOCKS, **{number: MAMBA_KEYS[number] for number in (17, 18, 19, 32, 33, 44)},
               20: ("d_mlp", 0, 65536), 21: ("n_groups", 1, 65536), 22: ("gated_norm", 0, 2), 23: ("norm_groups", 1, 65536),
               24: ("gate_eps", *FLOAT_BITS), 25: ("delta_least", *FLOAT_BITS), 26: ("delta_most", 0, 0x7f800000),
               27: ("d_scope", 1, 2)}
MLP_KEYS = {**ALL_BLOCKS, 17: MAMBA_KEYS[17]}
FLOATS = ("norm_eps", "final_norm_eps", "gate_eps", "delta_least", "delta_most")
PLAIN, PANELS = 1, 2
F32, F16, Q8, Q4 = 1, 2, 3, 4
ANY_TYPE = (1, 20, 24, 26, 38, 70, 96, 98, 114)
LEVELS = np.array([-127, -101, -79, -61, -45, -31, -19, -8, 2, 12, 23, 35, 49, 65, 83, 105])
S4, MAMBA, MAMBA2, MLP = 1, 2, 3, 4
KEYS_OF = {S4: S4_KEYS, MAMBA: MAMBA_KEYS, MAMBA2: MAMBA2_KEYS, MLP: MLP_KEYS}
NONE, LAYER, RMS, AFFINE = range(4)


def pad(x, to):
    return -(-x // to) * to


def check(condition, what):
    if not condition:
        sys.exit(f"format_check: {what}")


# ---------------------------------------------------------------------------------------------------------- the container

def in_range(section, number, keys, value):
    name, least, most = keys[number]
    check(least <= value <= most, f"{name} of section {section} is {value}, not from {least} to {most}")
    if name in FLOATS:
        value = struct.unpack("<f", struct.pack("<I", value))[0]
    return name, value


def check_norm(kind, eps):
    check(eps == 0 or kind in (LAYER, RMS), "an eps without a norm that uses it")


def check_model(c):
    check(c["input_kind"] == 1 or c["input_size"] <= 65536, "a feature vector is too wide")
    check(not c["head_tied"] or c["input_kind"] == 1 and c["head_size"] == c["input_size"], "a tied head")
    check(not c["head_bias"] or c["head_size"], "a head bias without a head")
    check_norm(c["final_norm"], c["final_norm_eps"])


def check_mamba2(c):
    check(c["d_inner"] % c["h"] == 0, "h does not divide d_inner")
    check(c["h"] % c["n_groups"] == 0 and c["n_groups"] * c["d_state"] <= 1 << 23, "n_groups")
    check(c["d_inner"] % c["norm_groups"] == 0, "the groups of the gated norm do not divide d_inner")
    check(c["gated_norm"] or c["norm_groups"] == 1 and c["gate_eps"] == 0, "groups or an eps without a gated norm")
    check(c["delta_least"] <= c["delta_most"], "the limits of delta")


def check_layer(c):
    check_norm(c["norm"], c["norm_eps"])
    if c["block"] == MAMBA2:
        check_mamba2(c)
    if c["block"] in (MAMBA2, MLP):
        return
    check(c["d_inner"] % c["h"] == 0, "h does not divide d_inner")
    check(not c["c_complex"] or c["complex"], "a complex C of a real state")
    check((c["delta"] == 2) == (c["dt_rank"] > 0), "dt_rank and a delta of low rank go together")


def known_keys(section, values, n_layers):
    """The keys that a section knows; values is what it has so far. A layer without the first is as the one before."""
    if section == 0:
        return MODEL_KEYS
    check(section <= n_layers, f"section {section} is of no layer")
    if 1 not in values:
        return {1: ALL_BLOCKS[1]}
    check(values[1] in KEYS_OF, f"block {values[1]} of layer {section} is not known")
    return KEYS_OF[values[1]]


def read_entries(raw):
    """{section: {number: value}} of the keys that are known; the others must be optional."""
    sections, last = {0: {}}, 0
    for key, value in struct.iter_unpack("<II", raw):
        order = key & 0x7fffffff
        section, number = order >> 16, order & 0xffff
        check(order > last, f"configuration key {number} of section {section} is out of order")
        last = order
        if number in known_keys(section, sections.get(section, {}), sections[0].get(2, 0)):
            sections.setdefault(section, {})[number] = value
        else:
            check(key >> 31, f"configuration key {number} of section {section} is not known")
    return sections


def read_config(raw):
    """(the model's values, [each layer's])"""
    sections = read_entries(raw)
    check(set(sections[0]) == set(MODEL_KEYS), "a configuration key of the model is missing")
    model = dict(in_range(0, number, MODEL_KEYS, value) for number, value in sections[0].items())
    check_model(model)
    layers = []
    for section in range(1, model["n_layers"] + 1):
        if section in sections:
            values = sections[section]
            keys = KEYS_OF[values[1]]
            check(set(values) == set(keys), f"layer {section} has not all keys of its block")
            layer = {"d_inner": model["d_model"], "bidirectional": 0, "proj_biases": 0,
                     **dict(in_range(section, number, keys, value) for number, value in values.items())}
            check_layer(layer)
            layers.append(layer)
        else:
            check(layers, "the first layer has no configuration")
            layers.append(layers[-1])
    return model, layers


def read_metadata(raw, n):
    check(n <= 1024 and len(raw) <= 262144 and len(raw) % 8 == 0, "the metadata's sizes")
    metadata, at, last = {}, 0, b""
    for _ in range(n):
        parts = []
        for _ in range(2):
            end = raw.find(b"\0", at)
            check(end >= 0, "the metadata end within a string")
            try:
                parts.append(raw[at:end].decode())
            except UnicodeDecodeError:
                check(False, "a metadata string is not UTF-8")
            at = end + 1
        check(parts[0] and parts[0].encode() > last, "a metadata key is empty or out of order")
        last = parts[0].encode()
        metadata[parts[0]] = parts[1]
    check(not any(raw[at:]) and (n > 0 or not raw), "bytes follow the metadata")
    return metadata


def finite(values, offset):
    check(np.isfinite(values).all(), f"the tensor at {offset} is not finite")
    return values.astype(np.float64)


def read_floats(f, n, kind, offset):
    return finite(np.frombuffer(f, "<f4" if kind == F32 else "<f2", n, offset), offset)


def panel_bytes(kind, cols):
    """(scales, all) of one panel"""
    if kind in (F32, F16):
        return 0, 16 * cols * (4 if kind == F32 else 2)
    group, unit = (64, 4) if kind == Q8 else (32, 8)
    scales = pad(-(-cols // group) * 32, 64) if cols > 32 else 32
    return scales, scales + pad(cols, unit) // unit * 64


def read_integers(f, n, kind, cols, offset):
    """n panels: (n, 16, cols)"""
    scales, size = panel_bytes(kind, cols)
    panels = np.frombuffer(f, np.uint8, n * size, offset).reshape(n, size)
    used = -(-cols // (64 if kind == Q8 else 32)) * 32
    check(not panels[:, used:scales].any(), f"scales of the tensor at {offset} are not padded with zeros")
    scale = panels[:, :used].copy().view("<u2").astype("<u4") << 16                  # (n, 16 a group)
    scale = finite(scale.view("<f4"), offset).reshape(n, -1, 16)
    codes = panels[:, scales:]
    if kind == Q8:
        q = codes.view(np.int8).reshape(n, -1, 16, 2).transpose(0, 2, 1, 3).reshape(n, 16, -1)
        check(not q[:, :, cols:].any(), f"columns of the tensor at {offset} are not padded with zeros")
    else:
        codes = codes.reshape(n, -1, 2, 16, 2)                                       # eight columns, k + 2, row, k + 1
        q = np.stack([codes & 15, codes >> 4], 2)                                    # and k + 4
        q = LEVELS[q.transpose(0, 4, 1, 2, 3, 5).reshape(n, 16, -1)]
    return q[:, :, :cols] * scale.repeat(64 if kind == Q8 else 32, 1)[:, :cols].transpose(0, 2, 1)


def read_tensor(f, kind, count, rows, cols, layout, offset, size):
    """One tensor as a float64 array (count, rows, cols); panels put back into rows."""
    if layout == PLAIN:
        check(kind == F32 and size == 4 * count * rows * cols, f"a tensor of type {kind} and {size} bytes at {offset}")
        return read_floats(f, size // 4, kind, offset).reshape(count, rows, cols)
    n = count * (pad(rows, 16) // 16)
    check(kind in (F32, F16, Q8, Q4) and size == n * panel_bytes(kind, cols)[1], f"a tensor of type {kind} and {size} bytes at {offset}")
    if kind in (F32, F16):
        panels = read_floats(f, n * cols * 16, kind, offset).reshape(n, cols, 16).transpose(0, 2, 1)
    else:
        panels = read_integers(f, n, kind, cols, offset)
    panels = panels.reshape(count, -1, cols)
    check(not panels[:, rows:].any(), f"the tensor at {offset} is not padded with zeros")
    return panels[:, :rows]


def read_tensors(f, table, end):
    """({(section, role): (layout, array)}, types met, where the last one ends)"""
    tensors, kinds, last = {}, set(), (-1, -1)
    for i, entry in enumerate(struct.iter_unpack("<HHIIIIIIIQQ", table)):
        role, flags, section, kind, layout, count, rows, cols, reserved, offset, size = entry
        check(flags in (0, 1) and reserved == 0, f"flags of table entry {i}")
        check((section, role) > last, f"table entry {i} is out of order")
        check(offset == pad(end, 64) and offset + size <= len(f) and not any(f[end:offset]), f"the offset of table entry {i}")
        last, end = (section, role), offset + size
        if not flags & 1:
            check(layout in (PLAIN, PANELS) and all(1 <= x <= 1 << 28 for x in (count, rows, cols)), f"table entry {i}")
            check(kind == F32 or role in ANY_TYPE, f"role {role} of type {kind}")
            kinds.add(kind)
            tensors[section, role] = (layout, read_tensor(f, kind, count, rows, cols, layout, offset, size))
    return tensors, kinds, end


def read_named(f, table, end):
    """({name: bytes}, where the last one ends)"""
    entries, last = {}, b""
    for i, (name, reserved, offset, size) in enumerate(struct.iter_unpack("<24sQQQ", table)):
        name, rest = name.split(b"\0", 1) if b"\0" in name else (b"", b"x")
        check(name and not any(rest) and reserved == 0, f"the name of named entry {i}")
        check(name > last, f"named entry {i} is out of order")
        check(offset == pad(end, 64) and size >= 1 and offset + size <= len(f) and not any(f[end:offset]),
              f"the offset or size of named entry {i}")
        last, end = name, offset + size
        entries[name] = f[offset:end]
    return entries, end


class File:
    """config, layers, metadata, tensors {(section, role): (layout, array)}, kinds, entries; every byte is checked."""

    def __init__(self, path):
        with open(path, "rb") as file:
            f = file.read()
        check(len(f) >= 64 and f[:8] == b"\x89B2S6\r\n\x1a", "not a .b2s6 file")
        version, header_bytes, file_bytes, header_crc, data_crc = struct.unpack_from("<IIQII", f, 8)
        check(version == 2, f"format version {version}, not 2")
        n_config, n_metadata, metadata_bytes, n_tensors, n_entries, arithmetic = struct.unpack_from("<6I", f, 32)
        check(arithmetic == 2, f"arithmetic {arithmetic}, not 2")
        check(file_bytes == len(f) and not any(f[56:64]), "the size or the reserved bytes of the header")
        check(n_entries <= 256, "too many named entries")
        parts = [64, 8 * n_config, metadata_bytes, 48 * n_tensors, 48 * n_entries]
        starts = [sum(parts[:i + 1]) for i in range(5)]
        check(header_bytes == pad(starts[4], 64) <= file_bytes, "header_bytes")
        check(zlib.crc32(f[:24] + b"\0\0\0\0" + f[28:header_bytes]) == header_crc, "header_crc")
        check(zlib.crc32(f[header_bytes:]) == data_crc, "data_crc")
        sections = [f[begin:end] for begin, end in zip(starts, starts[1:])]
        check(not any(f[starts[4]:header_bytes]), "the end of the header is not zero")
        self.config, self.layers = read_config(sections[0])
        self.metadata = read_metadata(sections[1], n_metadata)
        self.tensors, self.kinds, end = read_tensors(f, sections[2], header_bytes)
        self.entries, end = read_named(f, sections[3], end)
        check(pad(end, 64) == file_bytes and not any(f[end:]), "the end of the data")


# -------------------------------------------------------------------------------------------------------------- the model

class Tensors:
    """Hands out the tensors of one section, each once and with the shape that the configuration needs."""

    def __init__(self, table, section):
        self.table, self.section = table, section

    def take(self, role, layout, *shape):
        entry = self.table.pop((self.section, role), None)
        check(entry is not None, f"section {self.section} has no role {role}")
        check(entry[0] == layout and entry[1].shape == shape,
              f"section {self.section} role {role}: layout {entry[0]}, {entry[1].shape} and not {layout}, {shape}")
        return entry[1]

    def vector(self, role, d):
        v = self.take(role, PLAIN, 1, 1, pad(d, 16)).reshape(-1)
        check(not v[d:].any(), f"role {role} is not padded with zeros")
        return v[:d]

    def vectors(self, role, d):
        v = self.take(role, PLAIN, 2, 1, pad(d, 16))[:, 0]
        check(not v[:, d:].any(), f"role {role} is not padded with zeros")
        return v[:, :d]

    def lanes(self, role, d, n, planes, repeats=False):
        """(d, n, planes)"""
        v = self.take(role, PLAIN, pad(d, 16) // 16, n * planes, 16)
        v = v.reshape(-1, n, planes, 16).transpose(0, 3, 1, 2).reshape(-1, n, planes)
        check(np.array_equal(v[d:], np.broadcast_to(v[d - 1] if repeats else 0, v[d:].shape)), f"lanes of role {role}")
        return v[:d]


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def gelu(x):
    return 0.5 * x * (1 + np.array([math.erf(v) for v in x / math.sqrt(2)]))


def to_complex(v):
    """A last axis of re[, im] as numbers."""
    return v[..., 0] + 1j * v[..., 1] if v.shape[-1] == 2 else v[..., 0]


def expm1(re, im):
    """exp(re + i im) - 1 without cancellation."""
    return np.expm1(re) * np.cos(im) - 2 * np.sin(im / 2) ** 2 + 1j * np.exp(re) * np.sin(im)


class Unit:
    def __init__(self, c, t, first):
        self.c = c
        h, n, d = self.h, self.n, self.d = c["h"], c["d_state"], c["d_inner"]
        p, cx, cc = d // h, 1 + c["complex"], 1 + c["c_complex"]
        shared, self.zoh = c["a_scope"] == 1, c["discretization"] == 1
        if c["delta"] == 1:
            self.w = t.vector(first, d)
        if c["delta"] == 2:
            self.x_weight = t.take(first + 1, PANELS, 1, c["dt_rank"], d)[0]
            self.dt_weight = t.take(first + 2, PANELS, 1, d, c["dt_rank"])[0]
        self.b = t.vector(first + 3, d)
        check(c["delta"] != 3 or (self.b > 0).all(), "a constant step is not positive")
        planes = 3 if cx == 2 else 1
        a = t.take(first + 4, PLAIN, 1, n, planes) if shared else t.lanes(first + 4, d, n, planes, True)
        check((a[..., 0] < 0).all(), "A is not stable")
        self.decay = a[..., 0] * math.log(2)                               # Re A, (1 | d, n)
        self.turn = 0 * self.decay                                         # Im A
        if cx == 2:
            rest = np.abs(a[..., 2])
            check((rest <= 2.0 ** -22 * np.abs(a[..., 1]) + 2.0 ** -126).all(), "turn_lo is no rest of turn")
            self.turn = a[..., 1] * math.pi + a[..., 2]
        self.a_inverse = np.ones((1, n))
        if self.zoh and not shared:
            self.a_inverse = to_complex(t.lanes(first + 5, d, n, cx))
        rows = [("B", cx)] * (c["b"] & 1) + [("C", cc)] * (c["c"] == 1)
        self.weights = {}
        if rows:
            bc = t.take(first + 6, PANELS, h, n * sum(planes for _, planes in rows), p)
            for name, planes in rows:                                      # (h, n, p)
                self.weights[name] = to_complex(np.moveaxis(bc[:, :n * planes].reshape(h, planes, n, p), 1, -1))
                bc = bc[:, n * planes:]
        self.b_bias = to_complex(t.lanes(first + 7, d, n, cx)) if c["b"] & 2 else 0
        self.c_constant = to_complex(t.lanes(first + 8, d, n, cc)) if c["c"] == 2 else None
        self.skip = t.vector(first + 9, d) if c["skip"] else 0
        self.reset()

    def reset(self):
        self.x = np.zeros((self.d, self.n), complex)

    def select(self, name, u):
        """The block's weights times the block's input, for every channel of the block: (d, n)."""
        return np.repeat(np.einsum("jnp,jp->jn", self.weights[name], u.reshape(self.h, -1)), self.d // self.h, axis=0)

    def step(self, u):
        if self.c["delta"] == 1:
            delta = softplus(np.repeat((self.w * u).reshape(self.h, -1).sum(1), self.d // self.h) + self.b)
        elif self.c["delta"] == 2:
            delta = softplus(self.dt_weight @ (self.x_weight @ u) + self.b)
        else:
            delta = self.b
        delta = delta[:, None]
        B = self.b_bias + (self.select("B", u) if "B" in self.weights else 0)
        C = self.select("C", u) if "C" in self.weights else self.c_constant
        re, im = delta * self.decay, delta * self.turn
        scale = expm1(re, im) * self.a_inverse if self.zoh else delta
        self.x = np.exp(re + 1j * im) * self.x + scale * B * u[:, None]
        return (C * self.x).sum(1).real * (2 if self.c["conjugate"] else 1) + self.skip * u


class Norm:
    def __init__(self, kind, eps, t, role, d):
        self.kind, self.eps = kind, eps
        if kind != NONE:
            self.weight = t.vector(role, d)
        if kind in (LAYER, AFFINE):
            self.bias = t.vector(role + 1, d)

    def __call__(self, x):
        if self.kind == NONE:
            return x
        if self.kind == AFFINE:
            return x * self.weight + self.bias
        if self.kind == RMS:
            return x / np.sqrt((x * x).mean() + self.eps) * self.weight
        x = x - x.mean()
        return x / np.sqrt((x * x).mean() + self.eps) * self.weight + self.bias


def gated(weights, u, biases=0):
    v, g = weights @ u + biases
    return v * silu(g)


class Mlp:
    def __init__(self, c, d, t):
        self.weights, self.out = t.take(20, PANELS, 2, c["d_inner"], d), t.take(96, PANELS, 1, d, c["d_inner"])[0]

    def __call__(self, us):
        return [self.out @ gated(self.weights, u) for u in us]


class Mamba2:
    def __init__(self, c, d, t):
        self.c = c
        h, n, groups, width, m = c["h"], c["d_state"], c["n_groups"], c["d_inner"], c["d_mlp"]
        bc, biased, lanes = 2 * groups * n, c["proj_biases"] & 1, pad(width, 16)
        self.in_proj = t.take(20, PANELS, 2, width, d)
        self.in_bias = t.vectors(21, width) if biased else 0
        conv = np.vstack([t.take(22, PLAIN, 1, c["d_conv"], lanes + pad(bc, 16))[0],
                          t.take(23, PLAIN, 1, 1, lanes + pad(bc, 16))[0]])
        check(not conv[:, width:lanes].any() and not conv[:, lanes + bc:].any(), "the convolution is not padded with zeros")
        conv = np.hstack([conv[:, :width], conv[:, lanes:lanes + bc]])
        self.conv, self.conv_bias = conv[:-1], conv[-1]
        self.mlp = t.take(24, PANELS, 2, m, d) if m else None
        self.mlp_bias = t.vectors(25, m) if m and biased else 0
        self.bc, self.bc_bias = t.take(26, PANELS, 1, bc, d)[0], t.vector(27, bc) if biased else 0
        self.dt = t.take(28, PANELS, 1, h, d)[0]
        self.weight = t.vector(29, width) if c["gated_norm"] else None
        self.dt_bias = t.vector(35, h)
        self.a = t.lanes(36, width, 1, 1, True)[:, 0, 0] * math.log(2)
        check((self.a < 0).all(), "A is not stable")
        self.skip = t.vector(41, width)
        self.out = t.take(96, PANELS, 1, d, width)[0]
        self.out_bias = t.vector(97, d) if c["proj_biases"] & 2 else 0
        self.out_mlp = t.take(98, PANELS, 1, d, m)[0] if m else None

    def normed(self, y):
        runs = y.reshape(self.c["norm_groups"], -1)
        return (runs / np.sqrt((runs * runs).mean(1, keepdims=True) + self.c["gate_eps"])).reshape(-1) * self.weight

    def step(self, u):
        c, width = self.c, self.c["d_inner"]
        v, z = self.in_proj @ u + self.in_bias
        self.window = np.concatenate([self.window[1:], np.concatenate([v, self.bc @ u + self.bc_bias])[None]])
        row = silu((self.window * self.conv).sum(0) + self.conv_bias)
        x, bc = row[:width], row[width:].reshape(c["n_groups"], 2, -1).repeat(width // c["n_groups"], axis=0)
        delta = np.clip(softplus(self.dt @ u + self.dt_bias), c["delta_least"], c["delta_most"]).repeat(width // c["h"])
        self.state = np.exp(delta * self.a)[:, None] * self.state + (delta * x)[:, None] * bc[:, 0]
        y = (bc[:, 1] * self.state).sum(1) + self.skip * x
        y = self.normed(y) * silu(z) if c["gated_norm"] == 2 else y * silu(z)
        y = self.normed(y) if c["gated_norm"] == 1 else y
        out = self.out @ y + self.out_bias
        return out if self.mlp is None else out + self.out_mlp @ gated(self.mlp, u, self.mlp_bias)

    def __call__(self, us):
        self.window, self.state = np.zeros_like(self.conv), np.zeros((self.c["d_inner"], self.c["d_state"]))
        return [self.step(u) for u in us]


class Layer:
    def __init__(self, c, d, t):
        self.c, width = c, c["d_inner"]
        self.norm = Norm(c["norm"], c["norm_eps"], t, 16, d)
        if c["block"] in (MAMBA2, MLP):
            self.mix = (Mamba2 if c["block"] == MAMBA2 else Mlp)(c, d, t)
            return
        self.mix = self.s4 if c["block"] == S4 else self.mamba
        if c["block"] == MAMBA:
            self.in_proj = t.take(20, PANELS, 2, width, d)
            self.in_bias = t.vectors(21, width) if c["proj_biases"] & 1 else np.zeros((2, width))
            conv = t.take(22, PLAIN, 1, c["d_conv"], pad(width, 16))[0]
            check(not conv[:, width:].any(), "conv weight is not padded with zeros")
            self.conv, self.conv_bias = conv[:, :width], t.vector(23, width)
        self.unit = Unit(c, t, 32)
        self.reverse = Unit(c, t, 64) if c["bidirectional"] else None
        if c["block"] == S4:
            self.out, self.out_bias = t.take(96, PANELS, 2, d, d), t.vectors(97, d)
        else:
            self.out = t.take(96, PANELS, 1, d, width)[0]
            self.out_bias = t.vector(97, d) if c["proj_biases"] & 2 else 0

    def s4(self, us):
        self.unit.reset()
        ys = [self.unit.step(u) for u in us]
        if self.reverse:
            self.reverse.reset()
            ys = [y + r for y, r in zip(ys, [self.reverse.step(u) for u in us[::-1]][::-1])]
        for y in ys:
            a, g = self.out @ gelu(y) + self.out_bias
            yield a * sigmoid(g)

    def mamba(self, us):
        self.unit.reset()
        window = np.zeros_like(self.conv)
        for u in us:
            v, z = self.in_proj @ u + self.in_bias
            window = np.concatenate([window[1:], v[None]])
            y = self.unit.step(silu((window * self.conv).sum(0) + self.conv_bias))
            yield self.out @ (y * silu(z)) + self.out_bias

    def __call__(self, xs):
        if self.c["norm_place"] == 1:
            return [x + f for x, f in zip(xs, self.mix([self.norm(x) for x in xs]))]
        return [self.norm(x + f) for x, f in zip(xs, self.mix(xs))]


class Model:
    def __init__(self, path):
        self.file = file = File(path)
        table, c = dict(file.tensors), file.config
        self.c, d = c, c["d_model"]
        self.bidirectional = any(layer["bidirectional"] for layer in file.layers)
        self.has_integers = bool(file.kinds & {Q8, Q4})
        t = Tensors(table, 0)
        self.encoder = t.take(1, PANELS, 1, c["input_size"], d)[0] if c["input_kind"] == 1 else (
            t.take(2, PANELS, 1, d, c["input_size"])[0], t.vector(3, d))
        self.layers = [Layer(layer, d, Tensors(table, i + 1)) for i, layer in enumerate(file.layers)]
        t = Tensors(table, c["n_layers"] + 1)
        self.final_norm = Norm(c["final_norm"], c["final_norm_eps"], t, 112, d)
        self.head = None
        if c["head_size"]:
            self.head = self.encoder if c["head_tied"] else t.take(114, PANELS, 1, c["head_size"], d)[0]
        self.head_bias = t.vector(115, c["head_size"]) if c["head_bias"] else 0
        check(not table, f"tensors that the configuration does not need: {sorted(table)}")

    def run(self, inputs):
        """One row a step, in float64. Plain and compensated states are the same function of real numbers."""
        if self.c["input_kind"] == 1:
            xs = [self.encoder[v] for v in inputs]
        else:
            xs = [self.encoder[0] @ v.astype(np.float64) + self.encoder[1] for v in inputs]
        for layer in self.layers:
            xs = layer(xs)
        xs = np.array([self.final_norm(x) for x in xs])
        if self.c["pool"] == 1:
            xs = np.cumsum(xs, 0) / np.arange(1, len(xs) + 1)[:, None]
        return xs @ self.head.T + self.head_bias if self.head is not None else xs


def main():
    if len(sys.argv) not in (2, 4):
        sys.exit(__doc__)
    model = Model(sys.argv[1])
    if len(sys.argv) == 2:
        print(model.c, *(f"layer {i + 1}: {layer}" for i, layer in enumerate(model.file.layers)), model.file.metadata,
              {name: len(data) for name, data in model.file.entries.items()}, sep="\n")
        return
    outputs = np.load(sys.argv[3])
    rows = model.run(np.load(sys.argv[2]))
    if model.bidirectional and model.c["pool"]:
        rows, outputs = rows[-1:], outputs[-1:]
    error = np.abs(rows - outputs).max() / np.abs(outputs).max()
    print(f"{error:.1e}  {sys.argv[1]}")
    check(rows.shape == outputs.shape and error <= (3e-4 if model.has_integers else 1e-5), "the outputs differ")


if __name__ == "__main__":
    main()
