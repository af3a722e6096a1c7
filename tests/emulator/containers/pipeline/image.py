"""Make the images of the pipeline's tools: Debian's programs with the libraries that they need, and the scripts."""

from __future__ import annotations

import gzip
import io
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import oci
from tests.conftest import require_tool

_PROGRAMS = ("bash", "bcftools", "bwa", "cat", "curl", "env", "find", "ls", "samtools", "sed", "wc")
_THREADS = "libgcc_s.so.1"  # which the C library loads when a thread ends, so that ldd does not list it
_SCRIPTS = Path(__file__).parent
TOOLS = ("isaac", "samtools_stats", "snpeff", "strelka")


def make_images(folder: Path) -> None:
    """Make an OCI layout with an image for each tool, whose tag is the tool's name; they share their layer."""
    layout = oci.Layout(folder)
    layer = make_layer(_PROGRAMS, [_SCRIPTS / script for script in (*TOOLS, "s3", "arguments.sh")])
    compressed = gzip.compress(layer, 1, mtime=0)
    for tool in TOOLS:
        config = {"Entrypoint": [f"/opt/pipeline/{tool}"], "Env": ["PATH=/usr/bin:/opt/pipeline"]}
        layout.tag(layout.manifest([layer], config, compress=lambda _layer: compressed), tool)


def make_layer(programs: Sequence[str], scripts: Sequence[Path]) -> bytes:
    """Return a layer with programs of this machine and all that they need, and with scripts in ``/opt/pipeline``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name in ("scratch", "tmp", "usr", "usr/bin"):
            archive.addfile(oci.folder(name, 0o1777)[0])
        for name in ("bin", "lib", "lib64"):
            archive.addfile(oci.link(name, f"usr/{name}")[0])
        for file in sorted(set(_files(programs))):
            archive.add(file, str(_merged(file)).lstrip("/"))
        for script in scripts:
            archive.add(script, f"opt/pipeline/{script.name}")
    return buffer.getvalue()


def _files(programs: Sequence[str]) -> Iterator[Path]:
    """Yield the programs, and the libraries and the loader that they need."""
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    yield from (Path(found) for found in re.findall(rf"{re.escape(_THREADS)} .* => (/\S+)", known))
    for program in programs:
        path = require_tool(program)
        yield Path(path)
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        yield from (Path(found) for found in re.findall(r"(/\S+) \(0x", listed))


def _merged(path: Path) -> Path:
    """Return the path with Debian's links from / to /usr resolved, and without those in the file's name."""
    return path.parent.resolve() / path.name
