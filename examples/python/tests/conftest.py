"""What the tests share: models of the tree, and the program b2s6 that makes others and says what is right."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest

import b2s6

TREE = Path(__file__).resolve().parents[3]
MODELS = TREE / "examples" / "models"
PROGRAM = TREE / os.environ.get("B2S6_BUILD", "build") / "b2s6"


def converted(case: str, folder: Path, *options: str) -> Path:
    """The model of tests/cases/CASE as a .b2s6 file."""
    source = TREE / "tests" / "cases" / case
    if not (source / "config.json").exists():
        source = source / "model.safetensors"
    path = folder / f"{case}.b2s6"
    subprocess.run([PROGRAM, "convert", source, path, *options], check=True, stdout=subprocess.DEVNULL)
    return path


def by_program(model: Path, inputs: np.ndarray, folder: Path) -> np.ndarray:
    """What `b2s6 run` makes of these inputs."""
    np.save(folder / "in.npy", inputs)
    subprocess.run([PROGRAM, "run", model, "--in", folder / "in.npy", "--out", folder / "out.npy"], check=True)
    return np.load(folder / "out.npy")


@pytest.fixture
def digits() -> Iterator[b2s6.Model]:
    """One feature a step, pooled, causal."""
    with b2s6.Model.open(MODELS / "digits.b2s6") as model:
        yield model


@pytest.fixture
def text() -> Iterator[b2s6.Model]:
    """A language model of bytes."""
    with b2s6.Model.open(MODELS / "bytes.b2s6") as model:
        yield model


@pytest.fixture
def pixels() -> np.ndarray:
    return (np.arange(64) * 7 % 17 / 16).astype(np.float32)
