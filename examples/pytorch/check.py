#!/usr/bin/env python3
"""Compare this module with stored outputs: check.py FOLDER...

A folder holds model.safetensors, inputs.npy (int32 tokens or float32 features) and outputs.npy (float64, one row a
step; of a pooled bidirectional model only the last row counts). A folder with a config.json is a Hugging Face
checkpoint. Prints max|y - y*| / max|y*| of a float64 and a float32 run; fails if float64 is worse than 1e-10.

A Hugging Face reference gets 1e-6: that library rounds residuals, norms, B, u and the logits to float32 even in a
float64 model. (Rounding at the same places here reproduces its stored outputs exactly.)
"""
import argparse
import json
import os
import sys

import numpy as np
import torch

import export
import hf_mamba


def read(folder):
    """(limit, (configuration, tensors)), or None for an architecture this module does not have"""
    tensors, metadata = export.read_safetensors(os.path.join(folder, "model.safetensors"))
    path = os.path.join(folder, "config.json")
    if not os.path.exists(path):
        return 1e-10, (json.loads(metadata["b2s6"]), tensors)
    with open(path) as f:
        hf = json.load(f)
    return (1e-6, hf_mamba.convert(hf, tensors)) if hf["architectures"] == ["MambaForCausalLM"] else None


def run(config, tensors, inputs, dtype):
    model = export.build(config, tensors, dtype)
    x = torch.from_numpy(inputs)
    x = x.long() if config["input"]["kind"] == "tokens" else x.to(dtype)
    with torch.no_grad():
        return model(x[None], every_step=True)[0].double().numpy()


def error(config, tensors, inputs, expected, dtype):
    y = run(config, tensors, inputs, dtype)
    if config["bidirectional"] and config["pool"] != "none":
        y, expected = y[-1], expected[-1]
    return np.abs(y - expected).max() / np.abs(expected).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    failed = 0
    for folder in parser.parse_args().folders:
        name = os.path.basename(os.path.normpath(folder))
        found = read(folder)
        if found is None:
            print(f"{name:26} not a model of this module")
            continue
        limit, case = found
        inputs, expected = (np.load(os.path.join(folder, f"{k}.npy")) for k in ("inputs", "outputs"))
        wide, narrow = (error(*case, inputs, expected, t) for t in (torch.float64, torch.float32))
        right = wide < limit                    # false for NaN
        print(f"{name:26} float64 {wide:.2e}   float32 {narrow:.2e}{'' if right else '   WRONG'}")
        failed += not right
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
