"""State-space sequence models, token by token, with the same bits on every machine: libb2s6 with NumPy arrays.

    import b2s6

    with b2s6.Model.open("digits.b2s6") as model, model.state() as state:
        for pixel in image:
            scores = state.step(pixel)

Arrays go in and come out as NumPy arrays. Models may be shared by threads; a state is one stream, for one thread at a time.
While the library computes, other threads of Python run.
"""

from __future__ import annotations

from ._header import Block, Delta, InputKind, Norm, Pool, Scope, Status, Type
from ._library import library
from .errors import Error
from .model import Layer, Model
from .sampling import Sampler, argmax, log_probability, log_softmax, top_k
from .state import State

__version__: str = library.b2s6_version_text().decode()

__all__ = [
    "Block", "Delta", "Error", "InputKind", "Layer", "Model", "Norm", "Pool", "Sampler", "Scope", "State", "Status", "Type",
    "argmax", "log_probability", "log_softmax", "self_test", "top_k",
]


def self_test() -> None:
    """Checks that this build computes on this machine as the results are defined; Error with ARITHMETIC if not."""
    status = library.b2s6_self_test()
    if status:
        raise Error(status)
