"""Arrays on their way into the library: of the right type, shape and layout, or refused."""

from __future__ import annotations

import ctypes
from typing import Any, Sequence, Union

import numpy as np
import numpy.typing as npt

from ._header import Status
from .errors import Error

Tokens = Union[Sequence[int], npt.NDArray[Any], bytes, bytearray, memoryview]
Features = npt.ArrayLike
FloatArray = npt.NDArray[np.float32]


def address(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    """Where the array begins, as an argument. The array must live until the call returns."""
    return ctypes.c_void_p(array.ctypes.data)


def tokens_of(tokens: Tokens, vocabulary: int) -> npt.NDArray[np.int32]:
    """(L) int32. A byte string is the tokens 0 to 255. What int32 has no room for is refused here, the rest by the library."""
    if isinstance(tokens, (bytes, bytearray, memoryview)):
        tokens = np.frombuffer(tokens, np.uint8)
    array = np.asarray(tokens)
    if array.ndim != 1:
        raise Error(Status.INPUT_KIND, f"the model reads tokens: (L) integers, not an array of shape {array.shape}")
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.dtype.kind not in "iu":
        raise Error(Status.INPUT_KIND, f"the model reads tokens: integers, not {array.dtype}")
    if array.dtype != np.int32 and not 0 <= int(array.min()) <= int(array.max()) < vocabulary:
        raise Error(Status.TOKEN, f"tokens {array.min()} .. {array.max()}; the vocabulary is 0 .. {vocabulary - 1}")
    return np.ascontiguousarray(array, np.int32)


def rows_of(features: Features, width: int) -> FloatArray:
    """(L, width) float32. Of a model of one feature (L) will do, too."""
    array = np.asarray(features)
    if array.ndim == 1 and width == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != width:
        raise Error(Status.INPUT_KIND, f"the model reads features: an array of shape (L, {width}), not {array.shape}")
    if not np.can_cast(array.dtype, np.float32, "same_kind"):
        raise Error(Status.INPUT_KIND, f"the model reads features: numbers, not {array.dtype}")
    with np.errstate(over="ignore"):  # what becomes infinite the library refuses
        return np.ascontiguousarray(array, np.float32)


def vector_of(features: Features, width: int) -> FloatArray:
    """(width) float32. Of a model of one feature a number will do, too."""
    array = np.asarray(features)
    if array.shape != (width,) and not (array.shape == () and width == 1):
        raise Error(Status.INPUT_KIND, f"the model reads features: an array of shape ({width},), not {array.shape}")
    row: FloatArray = rows_of(array.reshape(1, width), width)[0]
    return row


def logits_of(logits: npt.ArrayLike) -> FloatArray:
    """(n) float32."""
    array: FloatArray = np.ascontiguousarray(logits, np.float32)
    if array.ndim != 1 or np.ndim(logits) != 1:
        raise Error(Status.ARGUMENT, f"one row of logits is needed, an array of shape (n), not {np.shape(logits)}")
    return array
