"""Feed the loader with what atheris makes of the repository's manifests: it answers or refuses, at once, always.

    python -m tests.fuzz SECONDS

Stops with a traceback, and writes the input down, at the first text that makes the loader fail or dawdle.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gen_infra"]):
    from gen_infra.manifest import load
    from gen_infra.manifest.reading.loader import ManifestError

ROOT = Path(__file__).parents[2]
SLOWEST = 10  # seconds for one text, instrumented, on a busy machine


def main() -> None:
    """Fuzz for as many seconds as the command line says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, path in enumerate([*ROOT.glob("envs/**/*.yaml"), *ROOT.glob("tests/golden/manifests/*.yaml")]):
            (corpus / str(number)).write_bytes(path.read_bytes())
        shutil.copy(ROOT / "envs" / "base.yaml", folder)
        manifest = folder / "fuzzed.yaml"

        def one(data: bytes) -> None:
            manifest.write_bytes(data)
            try:
                load(manifest)
            except ManifestError as refusal:
                refusal.on_terminal()

        arguments = [f"-max_total_time={sys.argv[1]}", f"-timeout={SLOWEST}", "-max_len=20000", str(corpus)]
        atheris.Setup([sys.argv[0], *arguments], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
