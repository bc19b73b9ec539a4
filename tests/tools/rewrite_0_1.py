#!/usr/bin/python3
"""Rewrites a .b2s6 file of libb2s6 0.1 (format version 1) as one of version 2, for models whose checkpoint is gone.

    rewrite_0_1.py OLD.b2s6 NEW.b2s6 [--states plain|compensated]      compensated unless it is said

Every weight keeps its bytes, but for A. Version 1 kept A as sums of two floats, Re A / ln 2 and Im A in quarter turns;
version 2 wants Re A / ln 2 as a float, Im A in half turns as a float, and in radians what rounding took from that. The first
two are the parts of version 1, the second halved. The third came from more digits than version 1 kept, so it is made
again from the trained value: a checkpoint's A_imag is a float (or has fewer digits), and exactly one float gives the two
parts that are in the file. So the new file has, byte for byte, what `b2s6 convert` makes of the checkpoint.

What cannot be made equal: of a checkpoint in F64 the third value may be off in its last bit (7.6e-8 of it, itself at most
2^-24 of the turn); so may turns below 2^-126, whose digits version 1 had lost; and where Re A / ln 2 was within 2^-48 of the
middle between two floats, version 1 may have stored the other one (none of 20 million random values).

The file is checked as far as this needs, and its data must match their checksum. Needs NumPy.
"""
import math
import struct
import sys
import zlib

import numpy as np

LANES = 16
ROLE_A, ROLE_A_BACKWARDS, PLAIN, F32 = 36, 68, 1, 1

# Version 1's keys: the model's, and a layer's, which it had once for all; and version 2's numbers.
MODEL_KEYS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 15: 6, 14: 7, 11: 8, 12: 9, 13: 10}
LAYER_KEYS = {6: 1, 8: 2, 9: 3, 10: 4, **{key: key for key in range(32, 44)}}
S4_KEYS = {7: 16}
MAMBA_KEYS = {16: 17, 17: 18, 18: 19}
STATES, PLAIN_STATES, COMPENSATED = 44, 1, 2


def fail(what):
    sys.exit(f"rewrite_0_1: {what}")


def round_up(x, to=64):
    return -(-x // to) * to


def read(path):
    """(configuration {key: value}, (metadata pairs, their bytes), [(table entry without its place, its bytes)])"""
    with open(path, "rb") as file:
        f = file.read()
    if len(f) < 64 or f[:8] != b"\x89B2S6\r\n\x1a":
        fail(f"{path}: not a .b2s6 file")
    version, header_bytes, file_bytes, header_crc, data_crc = struct.unpack_from("<IIQII", f, 8)
    if version != 1:
        fail(f"{path}: format version {version}, only version 1 can be rewritten")
    if file_bytes != len(f) or header_bytes > len(f):
        fail(f"{path}: {len(f)} bytes, its header says {file_bytes}")
    if zlib.crc32(f[:24] + bytes(4) + f[28:header_bytes]) != header_crc or zlib.crc32(f[header_bytes:]) != data_crc:
        fail(f"{path}: a checksum does not match")
    n_config, n_metadata, metadata_bytes, n_tensors = struct.unpack_from("<4I", f, 32)
    config = dict(struct.iter_unpack("<II", f[64:64 + 8 * n_config]))
    at = 64 + 8 * n_config
    metadata = f[at:at + metadata_bytes]
    tensors = []
    for entry in struct.iter_unpack("<HHIIIIIIIQQ", f[at + metadata_bytes:at + metadata_bytes + 48 * n_tensors]):
        tensors.append((entry[:9], f[entry[9]:entry[9] + entry[10]]))
    return config, (n_metadata, metadata), tensors


def rewrite_config(config, states):
    """Version 2's entries. Every layer is as the first, so that the others need none."""
    if any(key not in {**MODEL_KEYS, **LAYER_KEYS, **S4_KEYS, **MAMBA_KEYS} for key in config):
        fail("it has a configuration key of its own, which cannot be carried over")
    block = S4_KEYS if config[6] == 1 else MAMBA_KEYS
    entries = {new: config[old] for old, new in MODEL_KEYS.items()}
    entries.update({1 << 16 | new: config[old] for old, new in {**LAYER_KEYS, **block}.items()})
    entries[1 << 16 | STATES] = states
    return b"".join(struct.pack("<II", key, value) for key, value in sorted(entries.items()))


def split(value):
    """How version 1 stored a double: hi and lo, with hi the float that hi + lo rounds to."""
    hi = value.astype(np.float32)
    lo = (value - hi).astype(np.float32)
    whole = (hi.astype(np.float64) + lo).astype(np.float32)
    moved = whole != hi
    return np.where(moved, whole, hi), np.where(moved, (value - whole).astype(np.float32), lo)


def half_turns(hi, lo):
    """(turn, turn_lo) of Im A in quarter turns, hi + lo"""
    quarter_turns = hi.astype(np.float64) + lo
    # The trained value is within 2^-47 of this, and rounding to a float finds it if it is one. 2 / pi is the converter's.
    trained = (quarter_turns * (math.pi / 2)).astype(np.float32).astype(np.float64)
    again = split(trained * 0.63661977236758134308)
    is_float = (again[0] == hi) & (again[1] == lo)
    turns = np.where(is_float, trained * 0.31830988618379067154, quarter_turns / 2)
    turn = turns.astype(np.float32)
    return turn, (math.pi * (turns - turn)).astype(np.float32)


def rewrite_a(entry, data, is_complex):
    """Planes decay hi, decay lo[, turn hi, turn lo] become decay[, turn, turn_lo]."""
    role, flags, section, kind, layout, count, rows, cols, reserved = entry
    old = 4 if is_complex else 2
    lanes = LANES if cols == LANES else 1  # lanes (groups, n, planes, 16), or (1, n, planes) of the whole layer
    if kind != F32 or layout != PLAIN or len(data) != 4 * count * rows * cols or rows * cols % (old * lanes):
        fail(f"role {role} of section {section} is not an A of version 1")
    planes = np.frombuffer(data, "<f4").reshape(count, -1, old, lanes)
    new = [planes[:, :, 0]]
    if is_complex:
        new += half_turns(planes[:, :, 2], planes[:, :, 3])
    n = planes.shape[1]
    shape = (count, n * len(new), LANES) if lanes == LANES else (1, n, len(new))
    return (role, flags, section, kind, layout, *shape, reserved), np.stack(new, 2).astype("<f4").tobytes()


def build(config, metadata, tensors):
    """The file of version 2."""
    n_metadata, strings = metadata
    header_bytes = offset = round_up(64 + len(config) + len(strings) + 48 * len(tensors))
    table = data = b""
    for entry, values in tensors:
        table += struct.pack("<HHIIIIIIIQQ", *entry, offset, len(values))
        values += bytes(round_up(len(values)) - len(values))
        data, offset = data + values, offset + len(values)
    counts = struct.pack("<6I8x", len(config) // 8, n_metadata, len(strings), len(tensors), 0, 2)
    parts = counts + config + strings + table
    parts += bytes(header_bytes - 32 - len(parts))
    begin = struct.pack("<8sIIQ", b"\x89B2S6\r\n\x1a", 2, header_bytes, offset)
    data_crc = struct.pack("<I", zlib.crc32(data))
    header_crc = struct.pack("<I", zlib.crc32(begin + bytes(4) + data_crc + parts))
    return begin + header_crc + data_crc + parts + data


def main():
    arguments = sys.argv[1:]
    states = "compensated"
    if "--states" in arguments[:-1]:
        at = arguments.index("--states")
        states = arguments[at + 1]
        del arguments[at:at + 2]
    if len(arguments) != 2 or states not in ("plain", "compensated"):
        sys.exit(__doc__)
    config, metadata, tensors = read(arguments[0])
    tensors = [rewrite_a(*t, config[34] == 1) if t[0][0] in (ROLE_A, ROLE_A_BACKWARDS) and not t[0][1] else t for t in tensors]
    config = rewrite_config(config, PLAIN_STATES if states == "plain" else COMPENSATED)
    file = build(config, metadata, tensors)
    with open(arguments[1], "wb") as out:
        out.write(file)


if __name__ == "__main__":
    main()
