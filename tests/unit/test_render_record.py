"""The record of the manifest that goes into the state: what a plan compares the next manifest with."""

from __future__ import annotations

import json

import yaml

from gen_infra.explain.causes import RECORD
from gen_infra.manifest import load
from gen_infra.pipeline import Plan
from gen_infra.render import render
from tests.conftest import ROOT


def test_the_record_is_the_resolved_manifest() -> None:
    files = render(load(ROOT / "envs" / "prod.yaml"))
    record = json.loads(files["terraform/manifest.json"])
    assert record == yaml.safe_load(files["manifest.resolved.yaml"])
    assert f'output "{RECORD}" {{' in files["terraform/outputs.tf"].decode()


def test_a_manifest_that_changes_nothing_in_aws_is_no_change() -> None:
    outputs = {RECORD: {"actions": ["update"], "before": {"name": "a"}, "after": {"name": "b"}}}
    assert not Plan({"output_changes": outputs}).has_changes
    assert Plan({"output_changes": {"other": outputs[RECORD]}}).has_changes
