"""A trained model, open for use."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Dict, List, Optional, Sequence, Type as Class, Union

import numpy as np

from . import _header, state as _state
from ._header import Block, Delta, InputKind, Norm, Pool, Scope, Status, Type
from ._library import Handle, aligned_bytes, library
from .arrays import Features, FloatArray, Tokens, address
from .errors import check, from_structure


@dataclass(frozen=True)
class Layer:
    """One layer: its block and the unit in it. A member that the kind of block does not have is 0 or None.

    The members are b2s6_layer_info's, all of them in members; those that most models have are here by name.
    """

    block: Union[Block, int]
    norm: Union[Norm, int]
    bidirectional: bool
    d_inner: int
    d_state: int
    h: int
    complex_state: bool
    delta: Union[Delta, int, None]
    a_scope: Union[Scope, int, None]
    members: Dict[str, int]


def _named(enumeration: Any, value: int) -> Any:
    """A value of an enumeration; the number itself if it is a later version's."""
    try:
        return enumeration(value)
    except ValueError:
        return value or None


def _members(structure: ctypes.Structure) -> Dict[str, int]:
    return {name: getattr(structure, name) for name, *_ in structure._fields_ if name not in ("struct_size", "reserved")}


class Model:
    """A model file, open. It never changes: any number of threads and states may use it.

    Closed by close, by the end of a with statement, or with the last reference. States may outlive it: the file stays open as
    long as one of them needs it.
    """

    def __init__(self, handle: Handle) -> None:
        """Use Model.open or Model.from_bytes."""
        self._handle: Optional[Handle] = handle
        info = _header.ModelInfoStructure(struct_size=ctypes.sizeof(_header.ModelInfoStructure))
        check(library.b2s6_model_describe(handle.pointer, ctypes.byref(info)))
        #: Every member of b2s6_model_info by its name in b2s6.h.
        self.info: Dict[str, int] = _members(info)
        self.input_kind: InputKind = _named(InputKind, info.input_kind)
        self.input_size: int = info.input_size
        self.output_size: int = info.output_size
        self.d_model: int = info.d_model
        self.n_layers: int = info.n_layers
        self.bidirectional: bool = bool(info.bidirectional)
        self.pool: Pool = _named(Pool, info.pool) or Pool.NONE
        self.weight_type: Type = _named(Type, info.weight_type)
        self.parameter_count: int = info.parameter_count
        self.fingerprint: int = info.fingerprint

    @classmethod
    def open(cls, path: Union[str, bytes, "os.PathLike[Any]"], *, verify: bool = False, trust: bool = False,
             isa: Optional[str] = None) -> "Model":
        """Opens a .b2s6 file; it is mapped, not copied, and must not change while it is open.

        verify: read and check all weights, however large the file is. trust: check no weights. isa: the instruction set
        to use, "portable" or another of this machine; all give the same bits.
        """
        name = os.fsencode(path)
        if b"\0" in name:
            raise ValueError("a path with a zero byte in it")
        pointer, error = ctypes.c_void_p(), _header.ErrorStructure()
        options = _options(verify, trust, isa)
        if library.b2s6_model_open_file(ctypes.byref(pointer), name, ctypes.byref(options), ctypes.byref(error)):
            raise from_structure(error, os.fsdecode(name))
        return cls(Handle(pointer.value, library.b2s6_model_close))

    @classmethod
    def from_bytes(cls, data: Union[bytes, bytearray, memoryview], *, verify: bool = False, trust: bool = False,
                   isa: Optional[str] = None) -> "Model":
        """Opens the content of a .b2s6 file; it is copied once. The options are those of open."""
        source = np.frombuffer(data, np.uint8)
        copy = aligned_bytes(source.size)
        copy[:] = source
        pointer, error = ctypes.c_void_p(), _header.ErrorStructure()
        options = _options(verify, trust, isa)
        if library.b2s6_model_open_memory(ctypes.byref(pointer), address(copy), copy.size, ctypes.byref(options),
                                          ctypes.byref(error)):
            raise from_structure(error)
        return cls(Handle(pointer.value, library.b2s6_model_close, copy))

    def close(self) -> None:
        """Closes the model; the file with it as soon as no state needs it."""
        self._handle = None

    def __enter__(self) -> "Model":
        self._open()
        return self

    def __exit__(self, kind: Optional[Class[BaseException]], error: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        kind = getattr(self.input_kind, "name", str(self.input_kind)).lower()
        return f"<b2s6.Model {kind} ({self.input_size}) -> {self.output_size}, {self.parameter_count} parameters>"

    def _open(self) -> Handle:
        if self._handle is None:
            raise ValueError("the model is closed")
        return self._handle

    @property
    def isa(self) -> str:
        """The instruction set that the model uses."""
        handle = self._open()
        name: bytes = library.b2s6_model_isa(handle.pointer)
        return name.decode()

    @property
    def state_size(self) -> int:
        """Bytes of one state."""
        handle = self._open()
        return int(library.b2s6_state_size(handle.pointer))

    @property
    def layers(self) -> List[Layer]:
        """What each layer is."""
        handle = self._open()
        return [_layer(handle, i) for i in range(self.n_layers)]

    @property
    def metadata(self) -> Dict[str, str]:
        """The metadata of the file."""
        handle, found, value = self._open(), {}, ctypes.c_char_p()
        for i in range(self.info["metadata_count"]):
            key = library.b2s6_model_metadata_at(handle.pointer, i, ctypes.byref(value))
            found[key.decode()] = (value.value or b"").decode()
        return found

    @property
    def entries(self) -> Dict[str, bytes]:
        """The named entries of the file, copied: a tokenizer, labels."""
        handle, found, data, size = self._open(), {}, ctypes.c_void_p(), ctypes.c_size_t()
        for i in range(self.info["entry_count"]):
            name = library.b2s6_model_entry_at(handle.pointer, i, ctypes.byref(data), ctypes.byref(size))
            found[name.decode()] = ctypes.string_at(data.value or 0, size.value) if size.value else b""
        return found

    def state(self) -> "_state.State":
        """A new stream."""
        return _state.State(self)

    def batch(self, states: Sequence["_state.State"], inputs: Union[Tokens, Features], *, hidden: bool = False) -> FloatArray:
        """One step of each of many streams, faster than one after the other and with the same bits.

        inputs: (n) tokens or (n, input_size) features, a row for each state. Returns (n, output_size), or (n, d_model) with
        hidden. The states must be different ones of this model.
        """
        return _state.batch(self, states, inputs, hidden)


def _options(verify: bool, trust: bool, isa: Optional[str]) -> _header.OpenOptionsStructure:
    if isa is not None and "\0" in isa:
        raise ValueError("the name of an instruction set with a zero byte in it")
    flags = (_header.OPEN_VERIFY if verify else 0) | (_header.OPEN_TRUST if trust else 0)
    name = isa.encode() if isa is not None else None
    return _header.OpenOptionsStructure(ctypes.sizeof(_header.OpenOptionsStructure), flags, None, name)


def _layer(handle: Handle, index: int) -> Layer:
    info = _header.LayerInfoStructure(struct_size=ctypes.sizeof(_header.LayerInfoStructure))
    check(library.b2s6_layer_describe(handle.pointer, index, ctypes.byref(info)))
    return Layer(_named(Block, info.block), _named(Norm, info.norm), bool(info.bidirectional), info.d_inner, info.d_state,
                 info.h, bool(info.complex_state), _named(Delta, info.delta), _named(Scope, info.a_scope), _members(info))
