"""``gen-infra`` and ``python -m gen_infra``."""

from __future__ import annotations

import gc

_THRESHOLD = 100_000  # new objects between two searches for garbage; Python's default is 700


def main() -> None:
    """Run the command line with few searches for garbage.

    Nearly all objects of a command stay until it ends: modules, and the nodes of a manifest. The default searches, and
    the last one when Python exits, cost a sixth of a render and find nothing (bench/README.md).
    """
    gc.set_threshold(_THRESHOLD)
    from gen_infra import cli

    try:
        cli.main()
    finally:
        gc.freeze()  # keeps all objects from the search at exit


if __name__ == "__main__":
    main()
