#!/usr/bin/env python3
"""A checkpoint of random weights in the shape of a Mamba-1 model, of any size, without torch: to convert, measure and take apart.

    python3 tests/tools/make_checkpoint.py FOLDER                      # mamba-130m's shape as state-spaces ships it
    python3 tests/tools/make_checkpoint.py FOLDER --d-model 2560 --layers 64 --container safetensors --shards 3 --type BF16

Needs numpy. The weights of a tensor are one block of random numbers again and again: what matters here is their number.
"""
import argparse
import json
import os

import numpy as np

import torch_file

BLOCK = 1 << 20


class Numbers:
    """Bytes of a type, each value of a tensor around 0 and no larger than scale."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed).standard_normal(BLOCK, dtype=np.float32)

    def make(self, kind, shape, scale, shift=0.0):
        values = np.tile(self.random, -(-torch_file.product(shape) // BLOCK))[:torch_file.product(shape)] * scale + shift
        if kind == "BF16":
            return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
        return values.astype({"F32": "<f4", "F16": "<f2", "F64": "<f8"}[kind]).tobytes()


def tensors(a, numbers):
    """Name, type, shape and maker of each, layer by layer."""
    d, inner, rank, n = a.d_model, 2 * a.d_model, -(-a.d_model // 16), a.d_state
    vocabulary = -(-a.vocab // 8) * 8

    def tensor(name, shape, scale, shift=0.0, kind=a.type):
        return (name, kind, shape, lambda: numbers.make(kind, shape, scale, shift))

    yield tensor("backbone.embedding.weight", [vocabulary, d], 0.02)
    for i in range(a.layers):
        mixer = "backbone.layers.%d.mixer." % i
        yield tensor(mixer + "A_log", [inner, n], 0.1, 1.0, "F32")
        yield tensor(mixer + "D", [inner], 0.1, 1.0, "F32")
        yield tensor(mixer + "in_proj.weight", [2 * inner, d], 0.02)
        yield tensor(mixer + "conv1d.weight", [inner, 1, 4], 0.2)
        yield tensor(mixer + "conv1d.bias", [inner], 0.1)
        yield tensor(mixer + "x_proj.weight", [rank + 2 * n, inner], 0.02)
        yield tensor(mixer + "dt_proj.weight", [inner, rank], 0.05)
        yield tensor(mixer + "dt_proj.bias", [inner], 0.2, -4.0)
        yield tensor(mixer + "out_proj.weight", [d, inner], 0.02)
        yield tensor("backbone.layers.%d.norm.weight" % i, [d], 0.1, 1.0)
    yield tensor("backbone.norm_f.weight", [d], 0.1, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--d-model", type=int, default=768)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--d-state", type=int, default=16)
    parser.add_argument("--vocab", type=int, default=50277)
    parser.add_argument("--type", choices=["F32", "F16", "BF16", "F64"], default="F32")
    parser.add_argument("--container", choices=["bin", "safetensors"], default="bin")
    parser.add_argument("--shards", type=int, default=1)
    a = parser.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    with open(os.path.join(a.folder, "config.json"), "w") as out:
        json.dump({"d_model": a.d_model, "n_layer": a.layers, "vocab_size": a.vocab, "ssm_cfg": {"d_state": a.d_state},
                   "rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True, "pad_vocab_size_multiple": 8}, out)
    stem, end, write = (("model", "safetensors", torch_file.write_safetensors) if a.container == "safetensors" else
                        ("pytorch_model", "bin", torch_file.write_torch))
    everything, places = list(tensors(a, Numbers(1))), {}
    each = -(-len(everything) // a.shards)
    for i in range(a.shards):
        name = "%s.%s" % (stem, end) if a.shards == 1 else "%s-%05d-of-%05d.%s" % (stem, i + 1, a.shards, end)
        places[name] = everything[i * each:(i + 1) * each]
        write(os.path.join(a.folder, name), places[name])
    if a.shards > 1:
        torch_file.write_index(os.path.join(a.folder, "%s.%s.index.json" % (stem, end)), places)


if __name__ == "__main__":
    main()
