"""Several environments in one check: each tool reports about one what it reports about it alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gen_infra import pipeline
from gen_infra.check.plans import validate_and_plan
from tests.cli import gen_infra
from tests.conftest import ROOT
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.tools.conftest import Tf


def test_each_report_is_that_of_the_environment_alone(tf: Tf, tmp_path: Path) -> None:
    good = ROOT / "envs" / "examples" / "fargate.yaml"
    small = write(tmp_path, changed(name="small"), "small.yaml")
    bad = write(tmp_path, "name: 1\n", "bad.yaml")
    environ = tf.environ | {"HOME": str(tmp_path)}
    alone = gen_infra("check", small, "--json", cwd=tmp_path, environ=environ)
    done = gen_infra("check", good, small, bad, "--json", cwd=tmp_path, environ=environ)
    assert done.returncode == 2, done.stdout + done.stderr
    first, second, third = json.loads(done.stdout)
    assert (first["environment"], first["exit_code"]) == ("fargate", 0)
    assert second["result"] == json.loads(alone.stdout)
    assert second["exit_code"] == alone.returncode
    assert (third["environment"], third["exit_code"]) == (None, 2)


def test_an_invalid_configuration_is_found_and_the_others_pass(
    tf: Tf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", tf.environ["PATH"])
    manifests = [write(tmp_path, changed(name=name), f"{name}.yaml") for name in ("one", "two")]
    one, two = (pipeline.load(manifest, tmp_path) for manifest in manifests)
    two.files = {**two.files, "terraform/extra.tf": b'output "x" {\n  value = local.missing\n}\n'}  # a broken render
    said: list[str] = []
    good, broken = validate_and_plan([one, two], tmp_path / "copies", said.append)
    assert not any(each.failed for each in good.verdicts)
    ((finding,),) = (each.findings for each in broken.verdicts)
    assert finding.file == "terraform/extra.tf"
    assert "undeclared local value" in finding.message
    assert broken.reason == "the configuration is not valid"
