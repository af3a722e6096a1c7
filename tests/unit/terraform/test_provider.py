"""Where the AWS provider is taken from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import MissingError
from gen_infra.terraform.provider import ProviderSource, find_provider, major_here, os_arch
from gen_infra.tools.versions import AWS_PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "registry.terraform.io"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment variables of a user with an empty home, on a system without shared data."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "XDG_DATA_DIRS": str(tmp_path / "share")}


def unpacked(mirror: Path, version: str = "5.100.0", *, host: str = HOST, platform: str = "") -> Path:
    (mirror / host / "hashicorp" / "aws" / version / (platform or os_arch())).mkdir(parents=True)
    return mirror


def packed(mirror: Path, version: str = "5.100.0") -> Path:
    aws = mirror / HOST / "hashicorp" / "aws"
    aws.mkdir(parents=True)
    (aws / f"terraform-provider-aws_{version}_{os_arch()}.zip").touch()
    return mirror


def find(environ: dict[str, str], root: Path) -> ProviderSource:
    return find_provider(environ, flavour="terraform", roots=[root])


@pytest.mark.parametrize("make", [unpacked, packed])
@pytest.mark.parametrize("depth", ["mirror", "a/b/c/mirror"])
def test_a_mirror_is_found(environ: dict[str, str], tmp_path: Path, make: Callable[..., Path], depth: str) -> None:
    mirror = tmp_path / "opt" / depth
    make(mirror)

    assert find(environ, tmp_path / "opt") == ProviderSource("found", mirror, str(mirror), mirror)


@pytest.mark.parametrize("version", ["5.99.0", "6.0.0", "5.100.0-beta1", "4.100.0", "5.100", "latest"])
@pytest.mark.parametrize("make", [unpacked, packed])
def test_a_version_that_does_not_fit_is_passed_over(
    environ: dict[str, str], tmp_path: Path, make: Callable[..., Path], version: str
) -> None:
    make(tmp_path / "opt" / "mirror", version)

    assert find(environ, tmp_path / "opt").kind == "registry"


def test_so_is_another_platform(environ: dict[str, str], tmp_path: Path) -> None:
    unpacked(tmp_path / "opt", platform="plan9_mips")

    assert find(environ, tmp_path / "opt").kind == "registry"


def test_the_fitting_mirror_is_taken_though_an_older_one_comes_first(environ: dict[str, str], tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "a", "5.1.0")
    fitting = unpacked(tmp_path / "opt" / "b" / "deeper", "5.101.3")

    assert find(environ, tmp_path / "opt").plugin_dir == fitting


def test_each_flavour_has_a_registry_of_its_own(environ: dict[str, str], tmp_path: Path) -> None:
    mirror = unpacked(tmp_path / "opt" / "tofu", host="registry.opentofu.org")

    assert find(environ, tmp_path / "opt").kind == "registry"
    assert find_provider(environ, flavour="opentofu", roots=[tmp_path / "opt"]).plugin_dir == mirror


def test_the_search_ends_in_loops_of_links_and_follows_none(environ: dict[str, str], tmp_path: Path) -> None:
    root = tmp_path / "opt"
    (root / "a").mkdir(parents=True)
    (root / "a" / "loop").symlink_to(root)
    (root / "elsewhere").symlink_to(unpacked(tmp_path / "mirror"))

    assert find(environ, root).kind == "registry"


def test_the_search_does_not_go_deep(environ: dict[str, str], tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "1/2/3/4/5/6")

    assert find(environ, tmp_path / "opt").kind == "registry"


def test_a_world_writable_mirror_is_not_trusted(environ: dict[str, str], tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "mirror").chmod(0o777)

    assert find(environ, tmp_path / "opt").kind == "registry"


def test_a_named_mirror_goes_before_everything(environ: dict[str, str], tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "found")
    named = unpacked(tmp_path / "named")

    source = find({**environ, "GEN_INFRA_PLUGIN_DIR": str(named)}, tmp_path / "opt")

    assert (source.kind, source.plugin_dir) == ("named", named)


def test_a_named_mirror_without_the_provider_is_an_error(environ: dict[str, str], tmp_path: Path) -> None:
    message = r"does not contain registry\.terraform\.io/hashicorp/aws ~> 5\.100"
    with pytest.raises(MissingError, match=message) as raised:
        find({**environ, "GEN_INFRA_PLUGIN_DIR": str(tmp_path)}, tmp_path)

    assert "terraform providers mirror" in raised.value.hint


def test_a_named_mirror_with_another_major_version_says_which(environ: dict[str, str], tmp_path: Path) -> None:
    named = unpacked(tmp_path / "named", "6.69.1")
    with pytest.raises(MissingError) as raised:
        find({**environ, "GEN_INFRA_PLUGIN_DIR": str(named)}, tmp_path)

    assert raised.value.hint.endswith("or use what it has: `terraform: {aws_provider: 6}`")


def test_version_6_is_found_where_it_is_needed(environ: dict[str, str], tmp_path: Path) -> None:
    unpacked(tmp_path / "opt" / "a")
    mirror = unpacked(tmp_path / "opt" / "b", "6.69.1")

    source = find_provider(environ, flavour="terraform", provider=AWS_PROVIDERS[6], roots=[tmp_path / "opt"])

    assert source.plugin_dir == mirror


@pytest.mark.parametrize(
    ("versions", "major"),
    [((), 5), (("5.100.0",), 5), (("6.69.1",), 6), (("6.69.1", "5.100.0"), 5), (("6.1.0",), 5)],
)
@pytest.mark.parametrize("host", [HOST, "registry.opentofu.org"])
def test_new_manifests_name_the_version_that_is_here(
    environ: dict[str, str], tmp_path: Path, versions: tuple[str, ...], host: str, major: int
) -> None:
    (tmp_path / "opt").mkdir()
    for version in versions:
        unpacked(tmp_path / "opt" / "mirror", version, host=host)

    assert major_here(environ, roots=iter([tmp_path / "opt"])) == major


@pytest.mark.parametrize("name", [".terraformrc", "elsewhere.tfrc"])
def test_terraforms_own_configuration_is_left_to_terraform(environ: dict[str, str], tmp_path: Path, name: str) -> None:
    file = tmp_path / "home" / name
    file.write_text('provider_installation {\n  filesystem_mirror {\n    path = "/mirror"\n  }\n}\n')
    unpacked(tmp_path / "opt")

    source = find({**environ, "TF_CLI_CONFIG_FILE": str(file)} if name != ".terraformrc" else environ, tmp_path / "opt")

    assert source == ProviderSource("configured", None, f"as {file} says", Path("/mirror"))


@pytest.mark.parametrize(
    ("methods", "mirror"),
    [
        ('network_mirror {\n url = "https://mirror.lab/"\n }', "https://mirror.lab/"),
        ("direct {\n }", None),
        ('filesystem_mirror {\n path = "/a"\n include = ["example.org/*/*"]\n }\n direct {\n }', None),
        ('filesystem_mirror {\n path = "/a"\n include = ["hashicorp/*"]\n }\n direct {\n }', Path("/a")),
        ('filesystem_mirror {\n path = "/a"\n exclude = ["registry.terraform.io/hashicorp/aws"]\n }\n'
         'network_mirror {\n url = "https://b/"\n }', "https://b/"),
        ('dev_overrides {\n }\n filesystem_mirror {\n path = "/a"\n }', Path("/a")),
    ],
)  # fmt: skip
def test_the_lock_file_is_made_from_the_configured_mirror(
    environ: dict[str, str], tmp_path: Path, methods: str, mirror: Path | str | None
) -> None:
    (tmp_path / "home" / ".terraformrc").write_text(f"provider_installation {{\n{methods}\n}}\n")
    assert find(environ, tmp_path).mirror == mirror


@pytest.mark.parametrize("text", ['plugin_cache_dir = "/cache"\n', "# provider_installation {\n"])
def test_a_configuration_that_names_no_source_changes_nothing(
    environ: dict[str, str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "home" / ".terraformrc").write_text(text)
    mirror = unpacked(tmp_path / "opt")

    assert find(environ, tmp_path / "opt").plugin_dir == mirror


@pytest.mark.parametrize("place", ["home/.terraform.d/plugins", "share/terraform/plugins"])
def test_so_is_a_mirror_that_terraform_looks_into_anyway(environ: dict[str, str], tmp_path: Path, place: str) -> None:
    mirror = unpacked(tmp_path / place)
    unpacked(tmp_path / "opt")

    assert find(environ, tmp_path / "opt") == ProviderSource("implied", None, str(mirror), mirror)


@pytest.mark.parametrize(
    "place", ["opt", "opt/mirror/" + HOST, "opt/mirror/" + HOST + "/hashicorp/aws/5.100.0", "file"]
)
def test_everything_on_the_way_to_the_provider_must_be_trusted(
    environ: dict[str, str], tmp_path: Path, place: str
) -> None:
    mirror = unpacked(tmp_path / "opt" / "mirror")
    program = mirror / HOST / "hashicorp/aws/5.100.0" / os_arch() / "terraform-provider-aws_v5.100.0"
    program.touch()
    assert find(environ, tmp_path / "opt").kind == "found"
    changed = program if place == "file" else tmp_path / place
    changed.chmod(0o777)
    assert find(environ, tmp_path / "opt").kind == "registry"
    changed.chmod(0o1777)  # sticky: others can add to a folder, and replace nothing in it
    assert find(environ, tmp_path / "opt").kind == "found"


def test_a_link_is_as_trusted_as_what_it_leads_to(environ: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    aws = unpacked(tmp_path / "opt" / "mirror") / HOST / "hashicorp" / "aws"
    (aws / "5.100.0" / os_arch() / "terraform-provider-aws").symlink_to(elsewhere)
    assert find(environ, tmp_path / "opt").kind == "found"
    elsewhere.chmod(0o777)
    assert find(environ, tmp_path / "opt").kind == "registry"
