"""Share botocore's service descriptions among all boto3 sessions of a process: the tests create hundreds."""

from __future__ import annotations

import functools
from typing import Any

from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file


@functools.cache
def _description(path: str) -> Any:
    return _read(JSONFileLoader(), path)


JSONFileLoader.load_file = lambda _self, path: _description(path)  # type: ignore[method-assign, assignment]
