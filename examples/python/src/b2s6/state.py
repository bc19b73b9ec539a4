"""A stream in flight: steps, runs, batches, snapshots."""

from __future__ import annotations

import ctypes
import operator
import threading
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterable, Iterator, NoReturn, Optional, Sequence, Type as Class, Union

import numpy as np
import numpy.typing as npt

from . import _header
from ._header import InputKind, Pool, Status
from ._library import Handle, aligned_bytes, library
from .arrays import Features, FloatArray, Tokens, address, rows_of, tokens_of, vector_of
from .errors import Error, check
from .sampling import Sampler

if TYPE_CHECKING:
    from .model import Model

# At this many steps, or streams, at a time more memory would hardly make the library faster.
CHUNK = 512

_step_token = library.b2s6_step_token
_step_features = library.b2s6_step_features


class State:
    """One stream of a model: all that the model remembers of it. Made by Model.state.

    One thread at a time: a call while another thread's call is under way raises RuntimeError, and nothing moves. Given back by
    close, by the end of a with statement, or with the last reference.
    """

    __slots__ = ("model", "_handle", "_lock", "_tokens", "_row", "_row_address", "_row_size", "_input", "_input_address",
                 "_input_size", "__weakref__")

    def __init__(self, model: "Model") -> None:
        model_handle = model._open()
        pointer = ctypes.c_void_p()
        check(library.b2s6_state_create(ctypes.byref(pointer), model_handle.pointer, None))
        #: The model of the stream.
        self.model: "Model" = model
        self._handle: Optional[Handle] = Handle(pointer.value, library.b2s6_state_destroy, model_handle)
        self._lock = threading.Lock()
        self._tokens = model.input_kind == InputKind.TOKENS
        # A step writes here and reads there: addresses that need not be asked for at every step.
        self._row_size = model.output_size
        self._row: FloatArray = np.zeros(self._row_size, np.float32)
        self._row_address = address(self._row)
        self._input_size = model.input_size
        self._input: FloatArray = np.zeros(1 if self._tokens else self._input_size, np.float32)
        self._input_address = address(self._input)

    # ------------------------------------------------------------------------------------------------------------- steps

    def step(self, value: Union[int, Features]) -> FloatArray:
        """Reads one token, or one vector of input_size features (of one feature a number will do), and moves the stream on.

        Returns one output row, (output_size): of a language model or a classifier the logits.
        """
        if not self._lock.acquire(False):
            self._refuse()
        try:
            handle = self._handle
            if handle is None:
                raise ValueError("the state is closed")
            if self._tokens:
                token = value if type(value) is int else _token(value)
                if not 0 <= token < self._input_size:
                    raise Error(Status.TOKEN, f"token {token} is outside the vocabulary, 0 .. {self._input_size - 1}")
                status = _step_token(handle.pointer, token, self._row_address, self._row_size)
            else:
                kind = type(value)
                if kind is np.ndarray and value.dtype == np.float32 and value.shape == self._input.shape:  # type: ignore
                    self._input[:] = value
                elif (kind is float or kind is np.float32) and self._input_size == 1 and -3e38 < value < 3e38:  # type: ignore
                    self._input[0] = value
                else:
                    self._input[:] = vector_of(value, self._input_size)
                status = _step_features(handle.pointer, self._input_address, self._input_size, self._row_address,
                                        self._row_size)
            if status:
                raise Error(status)
            return self._row.copy()
        finally:
            self._lock.release()

    def run(self, inputs: Union[Tokens, Features], *, last: bool = False, hidden: bool = False) -> FloatArray:
        """Reads many steps at once: the same bits as single steps, faster.

        inputs: (L) tokens, or a byte string for a model of bytes; or (L, input_size) features. Returns a row for each step,
        (L, output_size). last: only the row after the last step, (output_size). hidden: rows before the head, of d_model
        values (embeddings). Of a bidirectional model a run is a whole sequence; if it pools, there is one row, (1, width).
        """
        rows = self._inputs(inputs)
        n, width = len(rows), self.model.d_model if hidden else self._row_size
        one = last or (self.model.bidirectional and self.model.pool != Pool.NONE)
        if n == 0 and one:
            raise Error(Status.ARGUMENT, "no steps: there is no last row")
        out: FloatArray = np.empty((1 if one else n, width), np.float32)
        with _Use([self]) as pointers:
            options, workspace = _run_options(self._needed(), n if self.model.bidirectional else min(n, CHUNK), last, hidden)
            if self._tokens:
                status = library.b2s6_run_tokens(pointers[0], address(rows), n, address(out), out.size, ctypes.byref(options))
            else:
                status = library.b2s6_run_features(pointers[0], address(rows), self._input_size, n, address(out), out.size,
                                                   ctypes.byref(options))
            del workspace
        check(status)
        return out.reshape(-1) if last else out

    def generate(self, prompt: Tokens, n: int, sampler: Optional[Sampler] = None, *, stop: Iterable[int] = (),
                 recent: int = 64) -> Iterator[int]:
        """Reads the prompt, at least one token, and makes up to n more, one at a time.

        sampler: how they are drawn, the softmax as it is if None. stop: tokens that end it, themselves the last. recent: how
        many tokens back the sampler's repetition_penalty looks. The state has read each token but the last that it gave:
        to go on, that one is the next prompt.
        """
        if not self._tokens:
            raise Error(Status.INPUT_KIND, "the model reads features: it has no tokens to make")
        prompt = tokens_of(prompt, self._input_size)
        how = Sampler() if sampler is None else sampler
        row = self.run(prompt, last=True)
        return self._generate(row, deque(prompt.tolist(), max(recent, 0)), operator.index(n), how, frozenset(stop))

    def _generate(self, row: FloatArray, recent: "deque[int]", n: int, sampler: Sampler,
                  stop: "frozenset[int]") -> Iterator[int]:
        for i in range(n):
            token = sampler.draw(row, recent)
            recent.append(token)
            yield token
            if token in stop or i == n - 1:
                return
            row = self.step(token)

    # ---------------------------------------------------------------------------------------------------- the stream itself

    @property
    def steps(self) -> int:
        """How many steps the stream has taken since its beginning."""
        with _Use([self]) as pointers:
            return int(library.b2s6_state_steps(pointers[0]))

    def reset(self) -> None:
        """Back to the beginning of a stream."""
        with _Use([self]) as pointers:
            check(library.b2s6_state_reset(pointers[0]))

    def fork(self) -> "State":
        """A second stream at the same place: from here on the two are independent."""
        with _Use([self]) as pointers:
            other = State.__new__(State)
            handle = self._needed()
            made = ctypes.c_void_p()
            check(library.b2s6_state_create(ctypes.byref(made), handle._needs.pointer, None))
            other.model, other._tokens, other._lock = self.model, self._tokens, threading.Lock()
            other._handle = Handle(made.value, library.b2s6_state_destroy, handle._needs)
            other._row, other._row_size = np.zeros_like(self._row), self._row_size
            other._input, other._input_size = np.zeros_like(self._input), self._input_size
            other._row_address, other._input_address = address(other._row), address(other._input)
            check(library.b2s6_state_copy(made, pointers[0]))
            return other

    def save(self) -> bytes:
        """The stream as a snapshot: the same bytes on every machine."""
        with _Use([self]) as pointers:
            size = library.b2s6_snapshot_size(self._needed()._needs.pointer)
            snapshot = np.empty(size, np.uint8)
            check(library.b2s6_state_save(pointers[0], address(snapshot), size))
            return snapshot.tobytes()

    def restore(self, snapshot: Union[bytes, bytearray, memoryview]) -> None:
        """Puts the stream where it was when the snapshot was saved, of the same model file. A wrong one changes nothing."""
        data = np.frombuffer(snapshot, np.uint8) if len(snapshot) else np.empty(0, np.uint8)
        with _Use([self]) as pointers:
            check(library.b2s6_state_restore(pointers[0], address(data), data.size))

    def close(self) -> None:
        """Gives the state's memory back."""
        if not self._lock.acquire(False):
            self._refuse()
        self._handle = None
        self._lock.release()

    def __enter__(self) -> "State":
        self._needed()
        return self

    def __exit__(self, kind: Optional[Class[BaseException]], error: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()

    def __copy__(self) -> "State":
        return self.fork()

    def __deepcopy__(self, memo: Any) -> "State":
        return self.fork()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a State cannot be pickled: save() gives bytes that can")

    # -------------------------------------------------------------------------------------------------------------- inside

    def _refuse(self) -> NoReturn:
        raise RuntimeError("another call is using this state: a state is for one thread at a time")

    def _needed(self) -> Handle:
        if self._handle is None:
            raise ValueError("the state is closed")
        return self._handle

    def _inputs(self, inputs: Any) -> npt.NDArray[Any]:
        return tokens_of(inputs, self._input_size) if self._tokens else rows_of(inputs, self._input_size)


class _Use:
    """States during a call: nobody else may use or close them. Gives their pointers."""

    __slots__ = ("_states", "_taken")

    def __init__(self, states: Sequence[State]) -> None:
        self._states = states
        self._taken = 0

    def __enter__(self) -> "list[Optional[int]]":
        try:
            for state in self._states:
                if not state._lock.acquire(False):
                    state._refuse()
                self._taken += 1
            return [state._needed().pointer for state in self._states]
        except BaseException:
            self._give_back()
            raise

    def __exit__(self, *reason: Any) -> None:
        self._give_back()

    def _give_back(self) -> None:
        for state in self._states[:self._taken]:
            state._lock.release()


def _token(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise Error(Status.INPUT_KIND, f"the model reads tokens: an integer, not {type(value).__name__}") from None


def _run_options(state: Handle, n: int, last: bool, hidden: bool) -> "tuple[Any, npt.NDArray[np.uint8]]":
    """The options of a run of n steps at a time, and the workspace that they point to."""
    flags = (_header.RUN_LAST if last else 0) | (_header.RUN_HIDDEN if hidden else 0)
    size = library.b2s6_workspace_size(state._needs.pointer, n)
    if size >= 2 ** (8 * ctypes.sizeof(ctypes.c_size_t) - 1):
        raise Error(Status.MEMORY, f"{n} steps at once are more than this machine can address")
    workspace = aligned_bytes(size)
    pointer = workspace.ctypes.data if size else None
    return _header.RunOptionsStructure(ctypes.sizeof(_header.RunOptionsStructure), flags, pointer, size, None, None), workspace


def batch(model: "Model", states: Sequence[State], inputs: Any, hidden: bool) -> FloatArray:
    """See Model.batch."""
    states = list(states)
    model_handle = model._open()
    if not all(isinstance(state, State) for state in states):
        raise TypeError("a batch is of States")
    if not states or len(set(map(id, states))) != len(states):
        raise Error(Status.ARGUMENT, "a batch needs states, at least one, each once")
    rows = states[0]._inputs(inputs)
    if len(rows) != len(states):
        raise Error(Status.ARGUMENT, f"{len(states)} states need {len(states)} rows of input, not {len(rows)}")
    if any(state.model is not model for state in states):
        raise Error(Status.MODEL)
    out = np.empty((len(states), model.d_model if hidden else model.output_size), np.float32)
    with _Use(states) as pointers:
        array = (ctypes.c_void_p * len(states))(*pointers)
        options, workspace = _run_options(states[0]._needed(), min(len(states), CHUNK), False, hidden)
        if model.input_kind == InputKind.TOKENS:
            status = library.b2s6_batch_tokens(array, len(states), address(rows), address(out), out.size,
                                               ctypes.byref(options))
        else:
            status = library.b2s6_batch_features(array, len(states), address(rows), model.input_size, address(out), out.size,
                                                 ctypes.byref(options))
        del workspace, model_handle
    check(status)
    return out
