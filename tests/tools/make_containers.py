#!/usr/bin/env python3
"""Writes tests/containers: one small Mamba-1 model in every kind of folder that `b2s6 convert` reads; all give the same model file.
Beside them mamba2-*, the same of a small Mamba-2 model, and bytes-256 and bytes-260: language models of bytes that differ in tokens
beyond the bytes alone.

    python3 tests/tools/make_containers.py tests/containers

The values are multiples of 1/64 of few digits, so that every type holds them exactly.
"""
import json
import os
import random
import struct
import sys

import torch_file

D, N, TAPS, RANK, VOCABULARY = 4, 2, 2, 1, 8  # d_inner is d_model
SHAPES = [("backbone.embedding.weight", [VOCABULARY, D]), ("backbone.layers.0.norm.weight", [D]),
          ("backbone.layers.0.mixer.in_proj.weight", [2 * D, D]), ("backbone.layers.0.mixer.conv1d.weight", [D, 1, TAPS]),
          ("backbone.layers.0.mixer.conv1d.bias", [D]), ("backbone.layers.0.mixer.x_proj.weight", [RANK + 2 * N, D]),
          ("backbone.layers.0.mixer.dt_proj.weight", [D, RANK]), ("backbone.layers.0.mixer.dt_proj.bias", [D]),
          ("backbone.layers.0.mixer.A_log", [D, N]), ("backbone.layers.0.mixer.D", [D]),
          ("backbone.layers.0.mixer.out_proj.weight", [D, D]), ("backbone.norm_f.weight", [D])]
ORIGINAL = {"d_model": D, "n_layer": 1, "vocab_size": 5, "pad_vocab_size_multiple": 8, "rms_norm": True, "residual_in_fp32": True,
            "fused_add_norm": True, "ssm_cfg": {"d_state": N, "d_conv": TAPS, "expand": 1}}
HUGGING_FACE = {"model_type": "mamba", "architectures": ["MambaForCausalLM"], "hidden_size": D, "state_size": N,
                "num_hidden_layers": 1, "vocab_size": VOCABULARY, "conv_kernel": TAPS, "expand": 1, "intermediate_size": D,
                "time_step_rank": RANK}
HEADS, P = 2, 2  # of Mamba-2, in one group
SHAPES_2 = [("backbone.embedding.weight", [VOCABULARY, D]), ("backbone.layers.0.norm.weight", [D]),
            ("backbone.layers.0.mixer.in_proj.weight", [2 * D + 2 * N + HEADS, D]),
            ("backbone.layers.0.mixer.conv1d.weight", [D + 2 * N, 1, TAPS]), ("backbone.layers.0.mixer.conv1d.bias", [D + 2 * N]),
            ("backbone.layers.0.mixer.dt_bias", [HEADS]), ("backbone.layers.0.mixer.A_log", [HEADS]),
            ("backbone.layers.0.mixer.D", [HEADS]), ("backbone.layers.0.mixer.norm.weight", [D]),
            ("backbone.layers.0.mixer.out_proj.weight", [D, D]), ("backbone.norm_f.weight", [D])]
ORIGINAL_2 = dict(ORIGINAL, ssm_cfg={"layer": "Mamba2", "d_state": N, "d_conv": TAPS, "expand": 1, "headdim": P})
HUGGING_FACE_2 = {"model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"], "hidden_size": D, "state_size": N,
                  "num_hidden_layers": 1, "vocab_size": VOCABULARY, "conv_kernel": TAPS, "expand": 1, "num_heads": HEADS,
                  "head_dim": P, "n_groups": 1, "time_step_limit": [0.0, float("inf")], "tie_word_embeddings": True}


def packed(values, kind):
    if kind == "BF16":
        return b"".join(struct.pack("<f", v)[2:] for v in values)
    return struct.pack("<%d%s" % (len(values), {"F32": "f", "F16": "e", "F64": "d"}[kind]), *values)


def tensors(values, kinds, shapes=SHAPES):
    """The model with types from kinds in turn."""
    return [(name, kinds[i % len(kinds)], shape, lambda v=values[name], k=kinds[i % len(kinds)]: packed(v, k))
            for i, (name, shape) in enumerate(shapes)]


def transposed(t, values):
    """A matrix whose storage has it the other way round, after three values of something else."""
    name, kind, (rows, cols), _ = t
    turned = [0.5, -0.5, 0.25] + [values[name][r * cols + c] for c in range(cols) for r in range(rows)]
    return dict(name=name, type=kind, shape=[rows, cols], strides=[1, rows], offset=3, count=rows * cols + 3,
                make=lambda: packed(turned, kind))


def folder(root, name, config):
    path = os.path.join(root, name, "model")  # "model" is what the model file calls its source
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "config.json"), "w") as out:
        json.dump(config, out, indent=1)
    return path


def write_bytes(root, numbers):
    """The same embedding, tied as the head, with rows for tokens that are no bytes, large ones, and without."""
    rows = [numbers.randrange(-40, 41) / 16 for _ in range(256 * D)]
    more = [8.0] * (8 * D)
    values = {name: [numbers.randrange(-40, 41) / 64 for _ in range(torch_file.product(shape))] for name, shape in SHAPES}
    for name, vocabulary, embedding in ("bytes-256", 256, rows), ("bytes-260", 260, rows + more):
        model = [("backbone.embedding.weight", "F16", [len(embedding) // D, D], lambda e=embedding: packed(e, "F16"))]
        path = folder(root, name, dict(ORIGINAL, vocab_size=vocabulary))
        torch_file.write_torch(path + "/pytorch_model.bin", model + tensors(values, ["F16"])[1:], new=True)


def write_mamba2(root, numbers):
    """A published folder's usual types: one file of float32, float16 as torch saves it, bfloat16 in parts, everything mixed."""
    values = {name: [numbers.randrange(-40, 41) / 64 for _ in range(torch_file.product(shape))] for name, shape in SHAPES_2}

    def model(*kinds):
        return tensors(values, kinds, SHAPES_2)

    def renamed(made):
        return [(n.replace("embedding", "embeddings"), k, s, m) for n, k, s, m in made]

    torch_file.write_safetensors(folder(root, "mamba2-safetensors", ORIGINAL_2) + "/model.safetensors", model("F32"))
    torch_file.write_torch(folder(root, "mamba2-bin", ORIGINAL_2) + "/pytorch_model.bin", model("F16"), new=True)
    path = folder(root, "mamba2-shards", HUGGING_FACE_2)
    places = {"model-%05d-of-00002.safetensors" % (i + 1): renamed(model("BF16"))[i::2] for i in range(2)}
    for name, some in places.items():
        torch_file.write_safetensors(os.path.join(path, name), some)
    torch_file.write_index(path + "/model.safetensors.index.json", places)
    path = folder(root, "mamba2-bin-shards", HUGGING_FACE_2)
    places = {"pytorch_model-%05d-of-00002.bin" % (i + 1): renamed(model("BF16", "F32", "F64", "F16"))[i::2] for i in range(2)}
    for name, some in places.items():
        torch_file.write_torch(os.path.join(path, name), some, top="archive")
    torch_file.write_index(path + "/pytorch_model.bin.index.json", places)


def main():
    root = sys.argv[1]
    numbers = random.Random(6)
    values = {name: [numbers.randrange(-40, 41) / 64 for _ in range(torch_file.product(shape))] for name, shape in SHAPES}
    plain, mixed = tensors(values, ["F32"]), tensors(values, ["F16", "F64", "BF16", "F32"])
    head = dict(name="lm_head.weight", type="F32", shape=SHAPES[0][1], storage=0)
    tied = [dict(name=n, type=k, shape=s, make=m, storage=i) for i, (n, k, s, m) in enumerate(plain)] + [head]
    parts = ["model-%05d-of-00003.safetensors" % (i + 1) for i in range(3)]
    bins = ["pytorch_model-%05d-of-00002.bin" % (i + 1) for i in range(2)]

    torch_file.write_safetensors(folder(root, "safetensors", ORIGINAL) + "/model.safetensors", plain)
    torch_file.write_safetensors(folder(root, "mixed", ORIGINAL) + "/model.safetensors", mixed)
    renamed = [(n.replace("embedding", "embeddings"), k, s, m) for n, k, s, m in plain]
    torch_file.write_safetensors(folder(root, "hugging-face", HUGGING_FACE) + "/model.safetensors", renamed)
    path = folder(root, "shards", ORIGINAL)
    places = {name: mixed[i::3] for i, name in enumerate(parts)}
    for name, some in places.items():
        torch_file.write_safetensors(os.path.join(path, name), some)
    torch_file.write_index(path + "/model.safetensors.index.json", places)

    torch_file.write_torch(folder(root, "bin", ORIGINAL) + "/pytorch_model.bin", tensors(values, ["F16"]))
    torch_file.write_torch(folder(root, "bin-tied", ORIGINAL) + "/pytorch_model.bin", tied, top="archive", new=True)
    strange = [transposed(t, values) if len(t[2]) == 2 else dict(name=t[0], type=t[1], shape=t[2], make=t[3], parameter=True)
               for t in mixed]
    torch_file.write_torch(folder(root, "bin-strides", ORIGINAL) + "/pytorch_model.bin", strange, plain=True)
    path = folder(root, "bin-shards", HUGGING_FACE)
    places = {name: renamed[i::2] for i, name in enumerate(bins)}
    for name, some in places.items():
        torch_file.write_torch(os.path.join(path, name), some, top="archive")
    torch_file.write_index(path + "/pytorch_model.bin.index.json", places)
    write_bytes(root, numbers)
    write_mamba2(root, random.Random(7))


if __name__ == "__main__":
    main()
