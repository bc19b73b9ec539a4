"""Hugging Face's MambaForCausalLM as a B2S6 model: S6 is the unit with one block, real and unbiased.

    x_proj.weight (dt_rank + 2 n, d_inner)    rows: dt_rank of x_weight, then n of B_weight, then n of C
    dt_proj.weight (d_inner, dt_rank), bias   dt_weight and b:  delta = softplus(dt_weight x_weight u + b)
    A_log (d_inner, n), D (d_inner)           as they are; A per channel, Bbar = delta B (euler), no conjugate pairs
    conv1d.weight (d_inner, 1, d_conv)        conv.weight without the middle axis
    in_proj, out_proj                         as they are; biases only with use_bias (configuration: "proj_bias")
    norm.weight, norm_f.weight                RMSNorm, eps = layer_norm_epsilon
    embeddings.weight                         encoder, and the head when tie_word_embeddings
"""
import numpy as np

from b2s6 import config


def config_of(hf):
    rank = hf["time_step_rank"]
    if rank == "auto":
        rank = -(-hf["hidden_size"] // 16)
    rms = {"kind": "rms", "eps": hf["layer_norm_epsilon"]}
    c = config(
        d_model=hf["hidden_size"], n_layers=hf["num_hidden_layers"], block="mamba",
        d_inner=hf.get("intermediate_size", hf.get("expand", 2) * hf["hidden_size"]), d_conv=hf["conv_kernel"],
        input={"kind": "tokens", "size": hf["vocab_size"]}, norm={**rms, "place": "pre"}, final_norm=rms,
        unit={"h": 1, "d_state": hf["state_size"], "complex": False, "a_scope": "channel", "b_bias": False,
              "delta": "lowrank", "dt_rank": rank, "discretization": "euler", "conjugate": False},
        head={"size": hf["vocab_size"], "bias": False, "tied": hf.get("tie_word_embeddings", True)})
    if hf.get("use_bias"):
        c["proj_bias"] = True
    return c


def layer_of(t, rank, n):
    """One layer's tensors under our names; t holds it under `mixer.` and `norm.`."""
    x_proj, width = t["mixer.x_proj.weight"], t["mixer.D"].shape[0]
    conv = t["mixer.conv1d.weight"][:, 0]
    out = {
        "norm.weight": t["norm.weight"],
        "unit.A_log": t["mixer.A_log"],
        "unit.B_weight": x_proj[rank:rank + n][None],                       # (1, n, d_inner)
        "unit.C": np.ascontiguousarray(x_proj[rank + n:].T)[None],          # (1, d_inner, n)
        "unit.x_weight": x_proj[:rank],
        "unit.dt_weight": t["mixer.dt_proj.weight"],
        "unit.b": t["mixer.dt_proj.bias"][None],                            # (1, d_inner)
        "unit.D": t["mixer.D"],
        "conv.weight": conv,
        "conv.bias": t.get("mixer.conv1d.bias", np.zeros(width, conv.dtype)),
        "in_proj.weight": t["mixer.in_proj.weight"],
        "out_proj.weight": t["mixer.out_proj.weight"],
    }
    for proj in ("in_proj", "out_proj"):
        if f"mixer.{proj}.bias" in t:
            out[f"{proj}.bias"] = t[f"mixer.{proj}.bias"]
    return out


def convert(hf, t):
    """(config.json, {name: array}) -> (configuration, {name: array}) of this package."""
    c = config_of(hf)
    out = {"encoder.weight": t["backbone.embeddings.weight"], "final_norm.weight": t["backbone.norm_f.weight"]}
    for i in range(c["n_layers"]):
        prefix = f"backbone.layers.{i}."
        mine = {k[len(prefix):]: v for k, v in t.items() if k.startswith(prefix)}
        for name, value in layer_of(mine, c["unit"]["dt_rank"], c["unit"]["d_state"]).items():
            out[f"layers.{i}.{name}"] = value
    if not c["head"]["tied"]:
        out["head.weight"] = t["lm_head.weight"]
    return c, out
