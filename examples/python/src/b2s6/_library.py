"""The shared library beside this file, with the types of its functions.

ctypes.CDLL releases Python's global lock during each call: other threads run while the library computes.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Optional

import numpy as np

from . import _header


def _load() -> Any:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libb2s6.so")
    if not os.path.exists(path):
        raise ImportError(f"{path} is missing: install the package with pip, which compiles it")
    loaded = ctypes.CDLL(path)
    for name, (result, arguments) in _header.FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    version = loaded.b2s6_version_text().decode()
    if version != _header.VERSION:
        raise ImportError(f"{path} is version {version}, the package {_header.VERSION}: install it anew")
    return loaded


library: Any = _load()


class Handle:
    """A pointer of the library's and who gives it back: what is done when nobody uses the handle any longer.

    needs is what must live as long: the handle of a state's model.
    """

    __slots__ = ("pointer", "_release", "_needs")

    def __init__(self, pointer: Optional[int], release: Callable[[Any], Any], needs: Any = None) -> None:
        self.pointer = pointer
        self._release = release
        self._needs = needs

    def __del__(self) -> None:
        self._release(self.pointer)


def aligned_bytes(size: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """(size) bytes, aligned as the library wants memory of a caller's."""
    memory = np.empty(size + _header.ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % _header.ALIGNMENT
    return memory[begin:begin + size]
