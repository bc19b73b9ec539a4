"""Probabilities, draws and generated text."""

from __future__ import annotations

import math

import numpy as np
import pytest

import b2s6

LOGITS = np.array([1.0, 3.0, -2.0, 3.0, 0.5], np.float32)


def test_probabilities() -> None:
    exact = LOGITS.astype(np.float64)
    exact = exact - np.log(np.exp(exact).sum())
    assert np.abs(b2s6.log_softmax(LOGITS) - exact).max() < 1e-6
    assert b2s6.log_softmax(LOGITS.tolist()).tobytes() == b2s6.log_softmax(LOGITS).tobytes()
    assert b2s6.log_probability(LOGITS, 1) == b2s6.log_softmax(LOGITS)[1]
    assert math.isnan(b2s6.log_probability(LOGITS, 5)) and math.isnan(b2s6.log_probability(LOGITS, 2 ** 32))
    assert b2s6.argmax(LOGITS) == 1 and b2s6.argmax([float("nan")]) == -1
    assert b2s6.top_k(LOGITS, 3) == [1, 3, 0] and b2s6.top_k(LOGITS, 99) == [1, 3, 0, 4, 2] and b2s6.top_k(LOGITS, 0) == []
    for wrong in (lambda: b2s6.log_softmax(5.0), lambda: b2s6.log_softmax(np.zeros((2, 2))), lambda: b2s6.top_k(LOGITS, -1)):
        with pytest.raises(b2s6.Error) as caught:
            wrong()
        assert caught.value.status == b2s6.Status.ARGUMENT
    with pytest.raises(b2s6.Error) as caught:
        b2s6.log_softmax([-math.inf, math.nan])
    assert caught.value.status == b2s6.Status.VALUE


def test_draws() -> None:
    assert b2s6.Sampler(temperature=0).draw(LOGITS) == 1
    assert b2s6.Sampler(temperature=0, repetition_penalty=2.0).draw(LOGITS, [1]) == 3
    sampler = b2s6.Sampler(seed=3)
    draws = np.bincount([sampler.draw(LOGITS) for _ in range(20000)], minlength=5) / 20000
    assert np.abs(draws - np.exp(b2s6.log_softmax(LOGITS))).max() < 0.02
    assert {b2s6.Sampler(top_k=2, seed=s).draw(LOGITS) for s in range(50)} == {1, 3}
    assert {b2s6.Sampler(min_p=0.9, seed=s).draw(LOGITS) for s in range(50)} == {1, 3}
    assert {b2s6.Sampler(top_p=0.3, seed=s).draw(LOGITS) for s in range(50)} == {1}


def test_wrong_recent_tokens() -> None:
    for recent in ([5], [-1], [2 ** 40], [2 ** 32 + 1]):  # the last is 1 to who drops bits
        with pytest.raises(b2s6.Error) as caught:
            b2s6.Sampler(repetition_penalty=2.0).draw(LOGITS, recent)
        assert caught.value.status == b2s6.Status.TOKEN
    with pytest.raises(TypeError):
        b2s6.log_probability(LOGITS, 1.5)  # type: ignore[arg-type]


def test_the_generator_goes_on_where_it_was() -> None:
    first, second = b2s6.Sampler(seed=11), b2s6.Sampler(seed=11)
    assert [first.draw(LOGITS) for _ in range(30)] == [second.draw(LOGITS) for _ in range(30)]
    third = b2s6.Sampler()
    third.generator = first.generator
    assert [first.draw(LOGITS) for _ in range(30)] == [third.draw(LOGITS) for _ in range(30)]
    for options in ({"seed": -1}, {"seed": 2 ** 64}, {"top_k": -1}, {"top_k": 2 ** 32}):
        with pytest.raises(b2s6.Error):
            b2s6.Sampler(**options)
    for options in ({"temperature": -1.0}, {"top_p": 2.0}, {"min_p": math.nan}, {"repetition_penalty": 0.0}):
        with pytest.raises(b2s6.Error) as caught:
            b2s6.Sampler(**options).draw(LOGITS)
        assert caught.value.status == b2s6.Status.ARGUMENT


def test_generated_text(text: b2s6.Model) -> None:
    def generated(n: int, **options: float) -> bytes:
        return bytes(text.state().generate(b"NAME\n", n, b2s6.Sampler(**options)))

    assert len(generated(50, seed=7)) == 50 and generated(50, seed=7) == generated(50, seed=7) != generated(50, seed=8)
    greedy, state = generated(40, temperature=0), text.state()
    row = state.run(b"NAME\n", last=True)
    for token in greedy:
        assert token == b2s6.argmax(row)
        row = state.step(token)
    assert list(text.state().generate(b"NAME\n", 0)) == []


def test_generation_goes_on(text: b2s6.Model) -> None:
    whole = bytes(text.state().generate(b"NAME\n", 40, b2s6.Sampler(seed=5)))
    state, sampler = text.state(), b2s6.Sampler(seed=5)
    part = bytes(state.generate(b"NAME\n", 15, sampler))
    assert state.steps == 5 + 14
    assert part + bytes(state.generate(part[-1:], 25, sampler)) == whole
    newline = bytes(text.state().generate(b"NAME\n", 400, b2s6.Sampler(seed=5), stop=[10]))
    assert newline.endswith(b"\n") and newline.count(b"\n") == 1


def test_wrong_generation(text: b2s6.Model, digits: b2s6.Model) -> None:
    state = text.state()
    with pytest.raises(b2s6.Error, match="no steps"):
        state.generate(b"", 5)  # at once, not at the first token
    with pytest.raises(TypeError):
        state.generate(b"a", 1.5)  # type: ignore[arg-type]
    with pytest.raises(b2s6.Error) as caught:
        digits.state().generate([1], 5)
    assert caught.value.status == b2s6.Status.INPUT_KIND
