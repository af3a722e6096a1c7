"""The text of an adopted manifest."""

from __future__ import annotations

import yaml

from gen_infra.adopt.choice import Choice
from gen_infra.adopt.writing import AdoptedManifest


def test_texts_of_an_account_stay_in_comments() -> None:
    choice = Choice()
    choice.leave_out("role", "lab\rqueues: {}", "it is used\u2028region: us-west-2")
    manifest = AdoptedManifest({"name": "lab"}, notes=["INVALID (first\nname: other\x85jobs: {}\x1b[2J)"])
    text = manifest.text(choice, "gen-infra adopt --owner-tag 'a\nb: c'")
    assert yaml.safe_load(text) == {"name": "lab"}
    assert "\x1b" not in text
