"""Steps, runs and batches: the same bits as the program, and wrong calls that change nothing."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import MODELS, TREE, by_program, converted

import b2s6

CAUSAL = ["b2s6-features", "b2s6-mamba", "b2s6-no-head", "hf-mamba1", "s4d", "b2s6-real"]


@pytest.mark.parametrize("case", CAUSAL)
def test_the_bits_of_the_program(case: str, tmp_path: Path) -> None:
    path, inputs = converted(case, tmp_path), np.load(TREE / "tests" / "cases" / case / "inputs.npy")
    expected = by_program(path, inputs, tmp_path)
    with b2s6.Model.open(path) as model, model.state() as state:
        assert state.run(inputs).tobytes() == expected.tobytes()
        assert state.steps == len(inputs)
        state.reset()
        assert state.steps == 0
        assert np.stack([state.step(row) for row in inputs]).tobytes() == expected.tobytes()
        state.reset()
        parts = [state.run(inputs[begin:begin + 7]) for begin in range(0, len(inputs), 7)]
        assert np.concatenate(parts).tobytes() == expected.tobytes()
        state.reset()
        assert state.run(inputs, last=True).tobytes() == expected[-1].tobytes()
        hidden = model.state().run(inputs, hidden=True)
        assert hidden.shape == (len(inputs), model.d_model)
        assert model.state().run(inputs, hidden=True, last=True).tobytes() == hidden[-1].tobytes()


def test_a_run_longer_than_a_chunk(digits: b2s6.Model) -> None:
    values = np.sin(np.arange(1500)).astype(np.float32)
    state = digits.state()
    steps = np.stack([state.step(value) for value in values.tolist()])
    assert digits.state().run(values).tobytes() == steps.tobytes()


def test_bidirectional_models(tmp_path: Path) -> None:
    case = "b2s6-bidirectional-mean"
    path, inputs = converted(case, tmp_path), np.load(TREE / "tests" / "cases" / case / "inputs.npy")
    with b2s6.Model.open(path) as model, model.state() as state:
        assert model.bidirectional
        row = state.run(inputs)
        assert row.shape == (1, model.output_size) and row.tobytes() == by_program(path, inputs, tmp_path).tobytes()
        assert state.run(inputs).tobytes() == row.tobytes()  # anew
        assert state.run(inputs, last=True).tobytes() == row.tobytes()
        for wrong in (lambda: state.step(inputs[0]), lambda: model.batch([state], inputs[:1])):
            with pytest.raises(b2s6.Error) as caught:
                wrong()
            assert caught.value.status == b2s6.Status.BIDIRECTIONAL
        with pytest.raises(b2s6.Error):
            state.run(inputs[:0])
    with b2s6.Model.open(MODELS / "listops-q8.b2s6") as model:
        assert model.state().run(np.arange(2000) % model.input_size, last=True).shape == (10,)


def test_what_features_may_be(digits: b2s6.Model) -> None:
    expected = digits.state().step(0.5).tobytes()
    for value in (np.float32(0.5), np.float64(0.5), np.array([0.5]), np.array(0.5, np.float16), [0.5], (0.5,),
                  np.array([0.5], ">f4"), np.array([0.5, 9.0], np.float32)[::2]):
        assert digits.state().step(value).tobytes() == expected
    for rows in ([0.5], [[0.5]], np.array([[0.5, 7.0]])[:, :1], np.array([0.5], np.float32)[::-1]):
        assert digits.state().run(rows)[0].tobytes() == expected
    assert digits.state().step(1).tobytes() == digits.state().step(1.0).tobytes() == digits.state().step(True).tobytes()


@pytest.mark.parametrize("value, status", [
    ([0.5, 0.5], "INPUT_KIND"), ([[0.5]], "INPUT_KIND"), ("0.5", "INPUT_KIND"), (0.5j, "INPUT_KIND"), (None, "INPUT_KIND"),
    ([], "INPUT_KIND"), (float("nan"), "VALUE"), (float("inf"), "VALUE"), (1e300, "VALUE"), (np.array([1e300]), "VALUE"),
    (np.array([np.nan], np.float32), "VALUE"),
])
def test_wrong_features(digits: b2s6.Model, value: object, status: str) -> None:
    state = digits.state()
    state.step(0.25)
    before = state.save()
    with pytest.raises(b2s6.Error) as caught:
        state.step(value)
    assert caught.value.status == b2s6.Status[status]
    assert state.save() == before


@pytest.mark.parametrize("rows", [[[0.5, 0.5]], np.zeros((2, 2, 1)), [["a"]], np.zeros((3, 0)), [[1j]], 0.5])
def test_wrong_rows_of_features(digits: b2s6.Model, rows: object) -> None:
    with pytest.raises(b2s6.Error) as caught:
        digits.state().run(rows)
    assert caught.value.status == b2s6.Status.INPUT_KIND


def test_what_tokens_may_be(text: b2s6.Model) -> None:
    expected = text.state().run(b"name").tobytes()
    codes = [110, 97, 109, 101]
    for tokens in (codes, tuple(codes), bytearray(b"name"), memoryview(b"name"), np.array(codes), np.array(codes, np.uint8),
                   np.array(codes, np.int32), np.array(codes, ">i8"), np.array(codes + codes, np.int32)[:4],
                   np.array([110, 0, 97, 0, 109, 0, 101, 0], np.int32)[::2]):
        assert text.state().run(tokens).tobytes() == expected
    state = text.state()
    assert np.stack([state.step(code) for code in (110, np.uint8(97), np.int64(109), np.array(101))]).tobytes() == expected


@pytest.mark.parametrize("token, status", [
    (-1, "TOKEN"), (256, "TOKEN"), (2 ** 32 + 5, "TOKEN"), (-2 ** 70, "TOKEN"), (5.0, "INPUT_KIND"), ("a", "INPUT_KIND"),
    (None, "INPUT_KIND"), ([5, 6], "INPUT_KIND"),
])
def test_wrong_tokens(text: b2s6.Model, token: object, status: str) -> None:
    state = text.state()
    state.step(65)
    before = state.save()
    with pytest.raises(b2s6.Error) as caught:
        state.step(token)
    assert caught.value.status == b2s6.Status[status]
    with pytest.raises((b2s6.Error, ValueError)):  # the latter NumPy's
        state.run([65, token])
    with pytest.raises((b2s6.Error, ValueError)):  # the latter NumPy's
        text.batch([state], [token])
    assert state.save() == before


@pytest.mark.parametrize("tokens", [[0.0], [[1]], [True], 5, "name", [2 ** 32 + 5], np.array([2 ** 63], np.uint64)])
def test_wrong_rows_of_tokens(text: b2s6.Model, tokens: object) -> None:
    with pytest.raises(b2s6.Error):
        text.state().run(tokens)


def test_no_steps(digits: b2s6.Model, text: b2s6.Model) -> None:
    assert text.state().run([]).shape == text.state().run(b"").shape == (0, 256)
    assert digits.state().run([]).shape == digits.state().run(np.zeros((0, 1))).shape == (0, 10)
    assert digits.state().run([], hidden=True).shape == (0, 32)
    for model in (digits, text):
        with pytest.raises(b2s6.Error, match="no steps"):
            model.state().run([], last=True)


def test_batch(text: b2s6.Model, digits: b2s6.Model) -> None:
    texts = [b"one ", b"two ", b"NAME"]
    expected = [text.state().run(t) for t in texts]
    states = [text.state() for _ in texts]
    for i in range(4):
        rows = text.batch(states, [t[i] for t in texts])
        assert rows.shape == (3, 256) and rows.tobytes() == np.stack([e[i] for e in expected]).tobytes()
    assert text.batch(states, b"abc", hidden=True).shape == (3, text.d_model)
    many = [digits.state() for _ in range(600)]
    values = np.linspace(0, 1, 600, dtype=np.float32)
    rows = digits.batch(many, values)
    assert all(rows[i].tobytes() == digits.state().step(values[i]).tobytes() for i in (0, 1, 511, 512, 599))
    assert digits.batch(many, values.reshape(600, 1)).shape == (600, 10)


def test_wrong_batches(text: b2s6.Model, digits: b2s6.Model) -> None:
    a, b = text.state(), text.state()
    for states, tokens in (([], []), ([a, a], [1, 2]), ([a, b], [1]), ([a], [1, 2])):
        with pytest.raises(b2s6.Error) as caught:
            text.batch(states, tokens)
        assert caught.value.status == b2s6.Status.ARGUMENT
    with pytest.raises(b2s6.Error) as caught:
        text.batch([a, digits.state()], [1, 2])
    assert caught.value.status == b2s6.Status.MODEL
    with pytest.raises(TypeError, match="States"):
        text.batch([1, a], [1, 2])  # type: ignore[list-item]
    b.close()
    with pytest.raises(ValueError, match="closed"):
        text.batch([a, b], [1, 2])
    assert a.steps == 0
    a.step(1)  # not held by the calls that failed


def test_save_restore_and_fork(text: b2s6.Model, digits: b2s6.Model) -> None:
    state = text.state()
    state.run(b"NAME\n")
    snapshot, branch, copied = state.save(), state.fork(), copy.copy(state)
    assert isinstance(snapshot, bytes) and branch.steps == 5
    expected = state.run(b"  tar").tobytes()
    other = text.state()
    for data in (snapshot, bytearray(snapshot), memoryview(snapshot), snapshot + b"more"):
        other.restore(data)
        assert other.run(b"  tar").tobytes() == expected
    text_again = b2s6.Model.open(MODELS / "bytes.b2s6")
    moved = text_again.state()
    moved.restore(snapshot)
    assert moved.run(b"  tar").tobytes() == expected
    assert branch.run(b"  tar").tobytes() == copied.run(b"  tar").tobytes() == expected
    assert copy.deepcopy(branch).save() == branch.save()
    with pytest.raises(TypeError, match="save"):
        pickle.dumps(state)


def test_wrong_snapshots(text: b2s6.Model, digits: b2s6.Model) -> None:
    state = text.state()
    state.run(b"NAME")
    snapshot = state.save()
    state.run(b" and more")
    before = state.save()
    damaged = bytearray(snapshot)
    damaged[len(damaged) // 2] ^= 4
    for data, status in ((b"", "SNAPSHOT"), (snapshot[:-1], "SNAPSHOT"), (damaged, "SNAPSHOT"),
                         (digits.state().save(), "MODEL")):
        with pytest.raises(b2s6.Error) as caught:
            state.restore(data)
        assert caught.value.status == b2s6.Status[status]
        assert state.save() == before


def test_closed_states(digits: b2s6.Model) -> None:
    with digits.state() as state:
        state.step(0.5)
    state.close()
    for use in (lambda: state.step(0.5), lambda: state.run([0.5]), state.save, state.reset, state.fork, lambda: state.steps,
                lambda: state.restore(b"x"), state.__enter__):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_rows_are_the_callers(digits: b2s6.Model) -> None:
    state = digits.state()
    first = state.step(0.5)
    kept = first.copy()
    state.step(0.25)
    assert first.tobytes() == kept.tobytes()
    first[:] = 7  # nobody else looks
    assert digits.state().step(0.5).tobytes() == kept.tobytes()
