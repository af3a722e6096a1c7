"""``gen-infra`` and ``python -m gen_infra``."""

from __future__ import annotations

from gen_infra.cli import main

if __name__ == "__main__":
    main()
