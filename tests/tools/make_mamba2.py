#!/usr/bin/python3
"""Writes a Mamba-2 checkpoint of random weights, in the shape of state-spaces/mamba2-130m unless told otherwise.

    make_mamba2.py FOLDER [--d-model 768] [--layers 24] [--headdim 64] [--states 128] [--groups 1] [--vocabulary 50277]

FOLDER gets config.json and model.safetensors, in the original layout. Weights are drawn as the original code initialises them, so
that states neither die nor grow. Needs NumPy.
"""
import argparse
import json
import os
import struct

import numpy as np


def softplus_inverse(x):
    return x + np.log(-np.expm1(-x))


def shapes(a):
    """[(name, shape, how it is drawn)]: a number is the scale of a normal distribution."""
    d, inner, bc = a.d_model, 2 * a.d_model, 2 * a.groups * a.states
    heads = inner // a.headdim
    vocabulary = -(-a.vocabulary // 16) * 16
    tensors = [("backbone.embedding.weight", (vocabulary, d), 0.02)]
    for l in range(a.layers):
        p = f"backbone.layers.{l}."
        tensors += [(p + "norm.weight", (d,), "ones"), (p + "mixer.in_proj.weight", (2 * inner + bc + heads, d), d ** -0.5),
                    (p + "mixer.conv1d.weight", (inner + bc, 1, 4), 0.3), (p + "mixer.conv1d.bias", (inner + bc,), 0.1),
                    (p + "mixer.dt_bias", (heads,), "step"), (p + "mixer.A_log", (heads,), "decay"),
                    (p + "mixer.D", (heads,), "ones"), (p + "mixer.norm.weight", (inner,), "ones"),
                    (p + "mixer.out_proj.weight", (d, inner), (inner * a.layers) ** -0.5)]
    return tensors + [("backbone.norm_f.weight", (d,), "ones")]


def draw(random, shape, how):
    if how == "ones":
        return np.ones(shape, "<f4")
    if how == "step":
        return softplus_inverse(np.exp(random.uniform(np.log(1e-3), np.log(1e-1), shape))).astype("<f4")
    if how == "decay":
        return np.log(random.uniform(1, 16, shape)).astype("<f4")
    return random.standard_normal(shape, np.float32) * np.float32(how)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    for name, default in ("d-model", 768), ("layers", 24), ("headdim", 64), ("states", 128), ("groups", 1), ("vocabulary", 50277):
        parser.add_argument("--" + name, type=int, default=default)
    a = parser.parse_args()
    tensors, header, at = shapes(a), {"__metadata__": {"format": "pt"}}, 0
    for name, shape, _ in tensors:
        size = 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    os.makedirs(a.folder, exist_ok=True)
    config = {"d_model": a.d_model, "d_intermediate": 0, "n_layer": a.layers, "vocab_size": a.vocabulary,
              "ssm_cfg": {"layer": "Mamba2", "d_state": a.states, "headdim": a.headdim, "ngroups": a.groups},
              "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True,
              "pad_vocab_size_multiple": 16, "tie_embeddings": True}
    with open(os.path.join(a.folder, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(0)
    with open(os.path.join(a.folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, how in tensors:
            file.write(draw(random, shape, how).tobytes())


if __name__ == "__main__":
    main()
