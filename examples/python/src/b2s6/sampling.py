"""From a row of logits to probabilities and tokens."""

from __future__ import annotations

import ctypes
import operator
import threading
from typing import Iterable, List

import numpy as np
import numpy.typing as npt

from . import _header
from ._header import Status
from ._library import library
from .arrays import FloatArray, address, logits_of, tokens_of
from .errors import Error, check


def log_softmax(logits: npt.ArrayLike) -> FloatArray:
    """The natural logarithms of all tokens' probabilities, (n)."""
    row = logits_of(logits)
    out = np.empty_like(row)
    check(library.b2s6_log_softmax(address(row), row.size, address(out)))
    return out


def log_probability(logits: npt.ArrayLike, token: int) -> float:
    """The natural logarithm of a token's probability; NaN if there is none."""
    row, token = logits_of(logits), operator.index(token)
    if not 0 <= token < row.size:
        return float("nan")
    return float(library.b2s6_log_probability(address(row), row.size, token))


def argmax(logits: npt.ArrayLike) -> int:
    """The likeliest token, of equal ones the lowest; -1 if there are no probabilities."""
    row = logits_of(logits)
    return int(library.b2s6_argmax(address(row), row.size))


def top_k(logits: npt.ArrayLike, k: int) -> List[int]:
    """The k likeliest tokens, likeliest first; fewer if fewer have a probability."""
    row = logits_of(logits)
    if k < 0:
        raise Error(Status.ARGUMENT, f"k is {k}")
    tokens = np.empty(min(k, row.size), np.int32)
    n = library.b2s6_top_k(address(row), row.size, tokens.size, address(tokens))
    return [int(token) for token in tokens[:n]]


class Sampler:
    """Draws tokens; the same seed and the same logits give the same tokens on every machine.

    In this order: repetition_penalty (above 1 recent tokens become less likely), temperature (0: always the likeliest), top_k
    (0: all), top_p, min_p. generator is the state of the random numbers, to be read and set; each draw moves it on.
    """

    def __init__(self, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, min_p: float = 0.0,
                 repetition_penalty: float = 1.0, seed: int = 1) -> None:
        if not 0 <= top_k < 2 ** 32:
            raise Error(Status.ARGUMENT, f"top_k is {top_k}; it must be 0 .. {2 ** 32 - 1}")
        self._how = _header.SamplingStructure(ctypes.sizeof(_header.SamplingStructure), repetition_penalty, temperature, top_k,
                                              top_p, min_p, None, 0)
        self._scratch: npt.NDArray[np.uint32] = np.empty(0, np.uint32)
        self._lock = threading.Lock()
        self.generator = seed

    @property
    def generator(self) -> int:
        """The state of the random numbers: 0 .. 2^64 - 1."""
        return int(self._generator.value)

    @generator.setter
    def generator(self, value: int) -> None:
        if not 0 <= value < 2 ** 64:
            raise Error(Status.ARGUMENT, f"a seed of {value}; it must be 0 .. 2^64 - 1")
        self._generator = ctypes.c_uint64(value)

    def draw(self, logits: npt.ArrayLike, recent: Iterable[int] = ()) -> int:
        """Draws a token. recent: tokens for the repetition penalty."""
        row = logits_of(logits)
        token = ctypes.c_int32()
        with self._lock:
            if self._scratch.size < row.size:
                self._scratch = np.empty(row.size, np.uint32)
            last = tokens_of(list(recent) if self._how.repetition_penalty != 1.0 else [], row.size)
            self._how.recent, self._how.n_recent = (last.ctypes.data, last.size) if last.size else (None, 0)
            check(library.b2s6_sample(ctypes.byref(token), address(row), row.size, ctypes.byref(self._how),
                                      ctypes.byref(self._generator), address(self._scratch)))
        return token.value
