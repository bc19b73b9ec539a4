"""Checkpoints: one safetensors file with the state_dict in float32 and the configuration as metadata `b2s6`.

The format needs no library: eight bytes with the header's length (little-endian), a JSON header that gives every
tensor its type, shape and place, then the data.
"""
import json
import struct

import numpy as np
import torch

from b2s6 import Model

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def write_safetensors(path, tensors, metadata):
    """tensors: {name: array}, written as float32; metadata: {str: str}"""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, t in tensors.items():
        blob = np.ascontiguousarray(t, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)             # the data starts aligned
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    """({name: array}, metadata)"""
    with open(path, "rb") as f:
        raw = f.read()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8:8 + length])
    data = raw[8 + length:]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, t in header.items():
        start, end = t["data_offsets"]
        tensors[name] = np.frombuffer(data[start:end], TYPES[t["dtype"]]).reshape(t["shape"])
    return tensors, metadata


def save(model, path, **metadata):
    """Write a model; further metadata are free strings that `b2s6 convert` carries over."""
    tensors = {name: t.detach().cpu().numpy() for name, t in model.state_dict().items()}
    write_safetensors(path, tensors, {"b2s6": json.dumps(model.cfg), **metadata})


def build(config, tensors, dtype=torch.float32, scan=None):
    """A model in evaluation mode from a configuration and {name: array}; every tensor has to match."""
    model = Model(config, scan=scan).to(dtype)
    model.load_state_dict({k: torch.from_numpy(np.array(v)).to(dtype) for k, v in tensors.items()})
    return model.eval()


def load(path, dtype=torch.float32, scan=None):
    tensors, metadata = read_safetensors(path)
    return build(json.loads(metadata["b2s6"]), tensors, dtype, scan)
