"""Opening, describing and closing models."""

from __future__ import annotations

import gc
import os
import pickle
import weakref
from pathlib import Path

import numpy as np
import pytest
from conftest import MODELS, converted

import b2s6


def test_description(digits: b2s6.Model) -> None:
    assert (digits.input_kind, digits.input_size, digits.output_size) == (b2s6.InputKind.FEATURES, 1, 10)
    assert (digits.n_layers, digits.d_model, digits.pool, digits.bidirectional) == (3, 32, b2s6.Pool.MEAN, False)
    assert digits.weight_type == b2s6.Type.F32 and digits.parameter_count == 11098 and digits.info["head_size"] == 10
    assert [layer.block for layer in digits.layers] == [b2s6.Block.S4] * 3
    assert digits.layers[0].complex_state and digits.layers[0].members["b_bias"] == 1 and digits.layers[0].h == 8
    assert digits.metadata["source"] == "digits.safetensors"
    assert digits.info["file_size"] == os.path.getsize(MODELS / "digits.b2s6")
    assert digits.state_size > 0 and "features (1) -> 10" in repr(digits)


def test_entries(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(b"a\0b")
    (tmp_path / "more").write_bytes(b"more")
    path = converted("b2s6-features", tmp_path, "--entry", f"labels={tmp_path}/labels", "--entry", f"more={tmp_path}/more")
    with b2s6.Model.open(path) as model:
        assert model.entries == {"labels": b"a\0b", "more": b"more"}


def test_paths_and_memory(digits: b2s6.Model, tmp_path: Path, pixels: np.ndarray) -> None:
    content = (MODELS / "digits.b2s6").read_bytes()
    odd = tmp_path / "Zahlen – ähnlich 数.b2s6"
    odd.write_bytes(content)
    expected = digits.state().run(pixels)
    data = bytearray(content)
    in_memory = b2s6.Model.from_bytes(data)
    data[:] = bytes(len(data))  # it was copied
    for model in (b2s6.Model.open(odd), b2s6.Model.open(os.fsencode(odd)), b2s6.Model.open(str(odd), verify=True), in_memory,
                  b2s6.Model.from_bytes(memoryview(content), trust=True)):
        assert model.fingerprint == digits.fingerprint
        assert model.state().run(pixels).tobytes() == expected.tobytes()


def test_instruction_sets_give_the_same_bits(digits: b2s6.Model, pixels: np.ndarray) -> None:
    portable = b2s6.Model.open(MODELS / "digits.b2s6", isa="portable")
    assert portable.isa == "portable"
    assert portable.state().run(pixels).tobytes() == digits.state().run(pixels).tobytes()
    with pytest.raises(b2s6.Error) as caught:
        b2s6.Model.open(MODELS / "digits.b2s6", isa="abacus")
    assert caught.value.status == b2s6.Status.ISA
    with pytest.raises(ValueError, match="zero byte"):
        b2s6.Model.open(MODELS / "digits.b2s6", isa="portable\0")


def test_wrong_files(tmp_path: Path) -> None:
    content = bytearray((MODELS / "digits.b2s6").read_bytes())
    with pytest.raises(b2s6.Error, match="nothing.b2s6: .*cannot be opened") as caught:
        b2s6.Model.open(tmp_path / "nothing.b2s6")
    assert caught.value.status == b2s6.Status.FILE
    with pytest.raises(b2s6.Error) as caught:
        b2s6.Model.from_bytes(b"GGUF" + bytes(200))
    assert caught.value.status == b2s6.Status.MAGIC
    with pytest.raises(b2s6.Error, match="empty"):
        b2s6.Model.from_bytes(b"")
    with pytest.raises(b2s6.Error) as caught:
        b2s6.Model.from_bytes(content[:-64])
    assert caught.value.status == b2s6.Status.TRUNCATED
    content[-70] ^= 1
    with pytest.raises(b2s6.Error) as caught:
        b2s6.Model.from_bytes(content, verify=True)
    assert caught.value.status == b2s6.Status.CHECKSUM
    with pytest.raises(b2s6.Error) as caught:
        b2s6.Model.from_bytes(content, verify=True, trust=True)
    assert caught.value.status == b2s6.Status.ARGUMENT
    with pytest.raises(ValueError, match="zero byte"):
        b2s6.Model.open("a\0b")
    with pytest.raises(TypeError):
        b2s6.Model.open(7)  # type: ignore[arg-type]


def test_errors_travel() -> None:
    error = pickle.loads(pickle.dumps(b2s6.Error(b2s6.Status.TENSOR, "a tensor is missing", 64)))
    assert (error.status, error.message, error.offset, str(error)) == (b2s6.Status.TENSOR, "a tensor is missing", 64,
                                                                       "a tensor is missing")
    assert b2s6.Error(9999).status == 9999 and b2s6.Error(9999).message
    assert "vocabulary" in b2s6.Error(b2s6.Status.TOKEN).message


def test_closed_models(pixels: np.ndarray) -> None:
    model = b2s6.Model.open(MODELS / "digits.b2s6")
    state = model.state()
    model.close()
    model.close()
    for use in (model.state, lambda: model.isa, lambda: model.layers, lambda: model.metadata, lambda: model.state_size,
                model.__enter__, lambda: model.batch([state], [[0.0]])):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert state.run(pixels).shape == (64, 10)  # what it needs is still there
    assert state.fork().save() == state.save()


def test_memory_is_given_back() -> None:
    before = resident()
    for _ in range(60):
        with b2s6.Model.from_bytes((MODELS / "bytes.b2s6").read_bytes(), trust=True) as model:
            states = [model.state() for _ in range(4)]
            reference = weakref.ref(states[0])
            model.batch(states, [1, 2, 3, 4])
        del model, states
        assert reference() is None
    gc.collect()
    assert resident() - before < 100e6  # one copy is 4 MB


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_self_test() -> None:
    b2s6.self_test()
