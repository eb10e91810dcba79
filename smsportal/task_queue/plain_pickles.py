"""Results of tasks, loaded without the power to run code.

django-q2 keeps arguments and results of tasks as pickles. A pickle can name any function to call,
and everybody who can write to the database can plant one. The portal's own results are numbers,
texts and containers of these, which need no function.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, NoReturn

from picklefield import fields


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"A stored result names {module}.{name}.")


def loads(data: bytes) -> Any:
    """The pickled value. Raises `pickle.UnpicklingError` for one that names a class or function."""
    return _PlainUnpickler(io.BytesIO(data)).load()


def install() -> None:
    """Load the pickles of all tables this way. One that is refused is shown as it is stored."""
    fields.loads = loads
