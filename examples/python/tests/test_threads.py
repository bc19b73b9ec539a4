"""Python's global lock is free while the library computes; a state is for one thread at a time."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

import b2s6


def timed_run(state: b2s6.State, tokens: np.ndarray, span: "list[float]", rows: "list[np.ndarray]") -> None:
    begin = time.perf_counter()
    rows.append(state.run(tokens, last=True))
    span[:] = [begin, time.perf_counter()]


def test_other_threads_run_during_two_runs(text: b2s6.Model) -> None:
    tokens = (np.arange(6000) * 7 % 96 + 32).astype(np.int32)
    spans: "list[list[float]]" = [[], []]
    rows: "list[np.ndarray]" = []
    threads = [threading.Thread(target=timed_run, args=(text.state(), tokens, span, rows)) for span in spans]
    ticks = [time.perf_counter()]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ticks.append(time.perf_counter())
    # Each call is one run of the library. Were the lock held, this thread would not tick between begin and end of any.
    for begin, end in spans:
        gaps = np.diff([begin, *(tick for tick in ticks if begin < tick < end), end])
        assert end - begin > 0.05
        assert gaps.max() < (end - begin) / 2, f"{gaps.max():.3f} s of {end - begin:.3f} s without the lock"
    # Both were inside at the same time, and did not disturb each other.
    assert max(begin for begin, _ in spans) < min(end for _, end in spans)
    assert rows[0].tobytes() == rows[1].tobytes() == text.state().run(tokens, last=True).tobytes()


def test_a_second_call_on_a_state_is_refused(text: b2s6.Model) -> None:
    state, tokens = text.state(), np.full(6000, 65, np.int32)
    span: "list[float]" = []
    thread = threading.Thread(target=timed_run, args=(state, tokens, span, []))
    thread.start()
    while not state._lock.locked() and thread.is_alive():
        time.sleep(0.0001)
    refused = 0
    for call in (lambda: state.step(65), lambda: state.run(b"A"), state.save, state.reset, state.close, state.fork,
                 lambda: text.batch([text.state(), state], [1, 2])):
        with pytest.raises(RuntimeError, match="one thread at a time"):
            call()
        refused += 1
    assert thread.is_alive()  # all of it happened during the run
    text.close()  # the run goes on: the state needs the file
    thread.join()
    assert refused == 7 and state.steps == 6000 and len(span) == 2


def test_many_threads_on_one_model(digits: b2s6.Model, pixels: np.ndarray) -> None:
    expected, wrong = digits.state().run(pixels).tobytes(), []
    values = pixels.tolist()

    def work() -> None:
        for _ in range(20):
            state = digits.state()
            if np.stack([state.step(value) for value in values]).tobytes() != expected:
                wrong.append(1)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
