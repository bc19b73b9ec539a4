"""What the library refuses, as an exception."""

from __future__ import annotations

from typing import Union

from . import _header
from ._library import library


class Error(Exception):
    """A call of the library that failed. What the call was given is as it was before.

    status: why, a Status. message: one line. offset: of the offending bytes of a model file, 0 where no place can be named.
    """

    status: Union[_header.Status, int]
    message: str
    offset: int

    def __init__(self, status: int, message: str = "", offset: int = 0) -> None:
        try:
            self.status = _header.Status(status)
        except ValueError:
            self.status = status
        self.message = message or library.b2s6_status_text(status).decode()
        self.offset = offset
        super().__init__(int(status), self.message, offset)

    def __str__(self) -> str:
        return self.message


def check(status: int) -> None:
    """Raises Error unless status is OK."""
    if status:
        raise Error(status)


def from_structure(error: _header.ErrorStructure, subject: str = "") -> Error:
    """The Error of an open that failed; subject is what was opened."""
    message = error.message.decode("utf-8", "replace") or library.b2s6_status_text(error.status).decode()
    return Error(error.status, f"{subject}: {message}" if subject else message, error.offset)
