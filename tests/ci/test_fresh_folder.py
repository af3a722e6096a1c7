"""The first commands of a reader, in a fresh folder, with nothing but the wheel and its locked dependencies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli import clean_environ

PROGRAMS = Path(sys.prefix) / "bin"

# What is typed, one after the other in one folder: the exit code, and words of what is printed.
TYPED = (
    ("gen-infra --version", 0, "gen-infra, version"),
    ("gen-infra version --check", 0, "are those of the wheel"),
    ("gen-infra new envs/lab.yaml", 0, "next: gen-infra show envs/lab.yaml"),
    ("gen-infra show envs/lab.yaml", 0, "max_vcpus"),
    ("gen-infra render envs/lab.yaml", 0, "to choose one release: gen-infra lock envs/lab.yaml"),
    ("gen-infra lock envs/lab.yaml", 0, "envs/.terraform.lock.hcl locks hashicorp/aws"),
    ("gen-infra render envs/lab.yaml --check", 1, ".terraform.lock.hcl"),
    ("gen-infra render envs/lab.yaml", 0, "1 new, 0 changed"),
    ("gen-infra check envs/lab.yaml", 0, "✓ lock file"),
    ("gen-infra plan envs/lab.yaml", 3, "no AWS credentials"),
    ("gen-infra graph envs/lab.yaml --output lab.svg", 0, "the picture is in lab.svg"),
    ("gen-infra report envs/lab.yaml --no-check", 0, "not in it: live: no AWS credentials"),
    ("gen-infra adopt --help", 0, "gen-infra adopt --region us-east-1 --name lab > envs/lab.yaml"),
    ("gen-infra emulator", 3, "run pip install 'gen-infra[emulator]'"),
    ("terraform -chdir=build/lab/terraform fmt -check -recursive", 0, ""),
)


def test_each_works_as_typed(released: Path, tmp_path: Path) -> None:
    found = [each for each in os.environ["PATH"].split(os.pathsep) if Path(each).resolve() != PROGRAMS.resolve()]
    path = os.pathsep.join([str(released / "environment" / "bin"), *found])
    environ = clean_environ(PATH=path, GEN_INFRA_CHECKOV=str(PROGRAMS / "checkov"))
    environ.pop("PYTHONPATH", None)
    for typed, code, words in TYPED:
        command = typed.split()
        done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, env=environ, text=True)
        printed = f"$ {typed}\n{done.stdout}{done.stderr}"
        assert (done.returncode, "Traceback" in printed) == (code, False), printed
        assert words in printed
