"""Writing, comparing and reading back an output folder, where existing files are the only problem."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import GenInfraError, UsageError
from gen_infra.render.folder import Folder
from gen_infra.render.writer import Written, diff, digest, read_back, write

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "terraform/main.tf": b"# main\n",
    "terraform/modules/network/main.tf": b"# network\n",
    "packer/scripts/scratch.sh": b"#!/bin/bash\n",
    "manifest.resolved.yaml": b"name: prod\n",
}


def tree(root: Path) -> dict[str, bytes]:
    """Return every file below the folder but the record."""
    paths = [path for path in root.rglob("*") if path.is_file() and path.name != ".gen-infra.json"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def put(root: Path, name: str, content: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder that holds FILES."""
    write(FILES, tmp_path / "build" / "prod")
    return tmp_path / "build" / "prod"


def test_first_write_creates_everything_and_leaves_nothing_else(tmp_path: Path) -> None:
    written = write(FILES, tmp_path / "build" / "prod")

    assert written == Written(tuple(sorted(FILES)), (), (), ())
    assert tree(tmp_path / "build" / "prod") == FILES
    assert {path.name for path in (tmp_path / "build" / "prod").iterdir()} == {
        *("terraform", "packer", "manifest.resolved.yaml", ".gen-infra.json")
    }


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        write(FILES, tmp_path)
    finally:
        os.umask(umask)

    assert (tmp_path / "terraform/main.tf").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "packer/scripts/scratch.sh").stat().st_mode & 0o777 == 0o755


def test_the_record_is_the_same_bytes_everywhere(tmp_path: Path) -> None:
    write(FILES, tmp_path / "one")
    write(dict(reversed(FILES.items())), tmp_path / "two")

    assert (tmp_path / "one/.gen-infra.json").read_bytes() == (tmp_path / "two/.gen-infra.json").read_bytes()


def test_what_did_not_change_is_not_touched(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, (1, 1))

    written = write(FILES, root)

    assert written == Written((), (), tuple(sorted(FILES)), ())
    assert {path.stat().st_mtime for path in root.rglob("*")} == {1}


def test_a_change_touches_only_what_changed(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, (1, 1))

    written = write(FILES | {"terraform/main.tf": b"# new\n"}, root)

    assert written.updated == ("terraform/main.tf",)
    assert (root / "terraform/main.tf").read_bytes() == b"# new\n"
    assert (root / "terraform/modules/network/main.tf").stat().st_mtime == 1


def test_a_deleted_file_comes_back(root: Path) -> None:
    (root / "terraform/main.tf").unlink()

    assert write(FILES, root).created == ("terraform/main.tf",)
    assert tree(root) == FILES


def test_only_what_was_written_is_pruned_and_empty_folders_go(root: Path) -> None:
    put(root, "packer/notes.txt", "mine")

    written = write({"terraform/main.tf": b"# main\n"}, root)

    assert written.pruned == (
        *("manifest.resolved.yaml", "packer/scripts/scratch.sh", "terraform/modules/network/main.tf"),
    )
    assert tree(root) == {"terraform/main.tf": b"# main\n", "packer/notes.txt": b"mine"}
    assert not (root / "terraform/modules").exists()
    assert not (root / "packer/scripts").exists()


def test_what_terraform_leaves_stays(root: Path) -> None:
    names = [
        ".terraform/providers/x",
        ".terraform.lock.hcl",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "plan.tfplan",
    ]
    for name in names:
        put(root, f"terraform/{name}", "terraform's")

    write({"manifest.resolved.yaml": b"name: prod\n"}, root)

    assert set(tree(root)) == {"manifest.resolved.yaml", *(f"terraform/{name}" for name in names)}


def test_changed_and_unknown_files_are_named_all_at_once_and_kept(root: Path) -> None:
    put(root, "terraform/main.tf", "mine")
    put(root, "packer/scripts/scratch.sh", "mine too")
    put(root, "terraform/new.tf.json", "mine as well")
    before = tree(root)
    wanted = FILES | {"terraform/new.tf.json": b"{}"}
    del wanted["packer/scripts/scratch.sh"]

    with pytest.raises(UsageError) as refused:
        write(wanted, root)

    assert refused.value.message.endswith(
        "contains files that gen-infra did not write:"
        "\n  packer/scripts/scratch.sh (changed since it was rendered)"
        "\n  terraform/main.tf (changed since it was rendered)"
        "\n  terraform/new.tf.json (not rendered)"
    )
    assert "--force" in refused.value.hint
    assert tree(root) == before

    write(wanted, root, force=True)
    assert tree(root) == wanted


def test_a_file_that_has_the_rendered_content_already_is_taken_over(tmp_path: Path) -> None:
    put(tmp_path, "terraform/main.tf", "# main\n")

    assert write(FILES, tmp_path).unchanged == ("terraform/main.tf",)
    assert write({}, tmp_path).pruned == tuple(sorted(FILES))


@pytest.mark.parametrize(
    "name",
    [
        *("terraform/extra.tf", "terraform/extra.tf.json", "terraform/main_override.tf", "terraform/extra.tofu"),
        *("terraform/terraform.tfvars", "terraform/terraform.tfvars.json", "terraform/.auto.tfvars"),
        *("terraform/x.auto.tfvars", "terraform/x.auto.tfvars.json", "terraform/modules/network/x.tf"),
        *(
            ".checkov.yaml",
            "terraform/.checkov.yml",
            "packer/x.pkr.hcl",
            "packer/x.auto.pkrvars.hcl",
            "terraform/a\nb.tf",
        ),
    ],
)
def test_a_foreign_file_that_would_take_effect_is_refused_even_with_force(root: Path, name: str) -> None:
    put(root, name, "mine")

    for force in (False, True):
        with pytest.raises(UsageError) as refused:
            write(FILES | {"terraform/main.tf": b"# new\n"}, root, force=force)
        assert f"{name} (would be loaded too)" in refused.value.message

    assert tree(root) == FILES | {name: b"mine"}
    assert f"{name} (would be loaded too)" in diff(FILES, root)
    with pytest.raises(UsageError, match="would be loaded too"):
        read_back(root)


@pytest.mark.parametrize(
    "name", ["terraform/notes.md", "terraform/.hidden.tf", "terraform/main.tf~", "mine/x.tf", "x.tfvars"]
)
def test_a_foreign_file_without_effect_is_left_alone(root: Path, name: str) -> None:
    put(root, name, "mine")

    write(FILES, root)

    assert (root / name).read_text() == "mine"
    assert diff(FILES, root) == ""
    assert read_back(root) == FILES


@pytest.mark.parametrize("name", ["terraform", "terraform/modules", "terraform/main.tf"])
@pytest.mark.parametrize("force", [False, True])
def test_links_inside_are_not_followed(root: Path, tmp_path: Path, name: str, *, force: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    (root / name).rename(elsewhere)
    (root / name).symlink_to(elsewhere)
    before = tree(tmp_path)

    with pytest.raises(UsageError, match=f"{name} is a .*symbolic link"):
        write(dict.fromkeys(FILES, b"new"), root, force=force)

    assert tree(tmp_path) == before
    assert f"{name} is a " in diff(FILES, root)


@pytest.mark.parametrize("name", [".gen-infra.json", ".gen-infra.lock", ".gen-infra.staging"])
def test_links_in_place_of_our_own_files_are_not_followed(root: Path, tmp_path: Path, name: str) -> None:
    victim = put(tmp_path, "victim/file", "precious")
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to(victim.parent if name.endswith("staging") else victim)

    with pytest.raises(GenInfraError):
        write(dict.fromkeys(FILES, b"new"), root)

    assert tree(tmp_path / "victim") == {"file": b"precious"}


def test_a_link_that_would_take_effect_is_refused(root: Path) -> None:
    (root / "terraform/extra.tf").symlink_to("/dev/null")

    with pytest.raises(UsageError, match=r"extra\.tf \(would be loaded too\)"):
        write(FILES, root)


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    write(FILES, tmp_path / "link")

    assert tree(tmp_path / "real") == FILES


def test_a_pipe_or_folder_in_the_place_of_a_file_is_refused(root: Path) -> None:
    (root / "manifest.resolved.yaml").unlink()
    os.mkfifo(root / "manifest.resolved.yaml")
    (root / "terraform/main.tf").unlink()
    (root / "terraform/main.tf").mkdir()

    with pytest.raises(UsageError) as refused:
        write(FILES, root, force=True)

    assert "manifest.resolved.yaml is not a regular file" in refused.value.message
    assert "terraform/main.tf is not a regular file" in refused.value.message


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "terraform", "mine")

    with pytest.raises(UsageError, match="terraform is a file or a symbolic link, not a folder"):
        write(FILES, tmp_path, force=True)

    assert tree(tmp_path) == {"terraform": b"mine"}


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    root = put(tmp_path, "prod", "mine")

    with pytest.raises(GenInfraError, match=r"cannot write .*prod") as refused:
        write(FILES, root)

    assert "--out" in refused.value.hint


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../x", "a/..", "./a", "a//b", "a/", "a\0b", ".gen-infra.json", "a\\b"]
)
def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="invalid path for a rendered file"):
        write({path: b""}, tmp_path / "root")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "files": {}}',
        '{"format": 1, "files": {"../victim": "%s"}}',
        '{"format": 1, "files": {}, "pending": {"../victim": "%s"}}',
        '{"format": 1, "files": [1]}',
    ],
)
def test_files_of_a_forged_or_broken_record_are_not_owned(tmp_path: Path, record: str) -> None:
    victim = put(tmp_path, "victim", "precious")
    put(tmp_path, "root/.gen-infra.json", record.replace("%s", sha256(victim.read_bytes()).hexdigest()))

    with pytest.raises(UsageError, match=r"\.gen-infra\.json \(not a record"):
        write(FILES, tmp_path / "root")
    write(FILES, tmp_path / "root", force=True)

    assert victim.read_text() == "precious"
    assert tree(tmp_path / "root") == FILES


def test_the_second_of_two_runs_names_the_writing_process(root: Path) -> None:
    with Folder(root) as folder, folder.lock(), pytest.raises(GenInfraError) as refused:
        write(dict.fromkeys(FILES, b"new"), root)

    assert f"process {os.getpid()} on " in refused.value.message
    assert tree(root) == FILES
    write(FILES, root)


def test_diff_shows_what_a_write_would_do_and_does_nothing(root: Path, tmp_path: Path) -> None:
    new = {
        "terraform/main.tf": b"# main\nnew = 1",
        "terraform/job.zip": b"PK\xff",
        "manifest.resolved.yaml": b"name: prod\n",
    }
    record = (root / ".gen-infra.json").read_bytes()

    assert diff(new, root) == (
        "--- a/packer/scripts/scratch.sh\n+++ /dev/null\n@@ -1 +0,0 @@\n-#!/bin/bash\n"
        "Binary files /dev/null and b/terraform/job.zip differ\n"
        "--- a/terraform/main.tf\n+++ b/terraform/main.tf\n@@ -1 +1,2 @@\n # main\n+new = 1\n"
        "\\ No newline at end of file\n"
        "--- a/terraform/modules/network/main.tf\n+++ /dev/null\n@@ -1 +0,0 @@\n-# network\n"
    )
    assert diff(FILES, root) == ""
    assert tree(root) == FILES
    assert (root / ".gen-infra.json").read_bytes() == record
    assert diff({"a": b"x\n"}, tmp_path / "none") == "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n"
    assert not (tmp_path / "none").exists()


def test_digest_separates_paths_from_contents() -> None:
    digests = [
        digest(files)
        for files in ({}, {"a": b""}, {"b": b""}, {"a": b"b"}, {"ab": b""}, {"a": b"", "b": b""}, {"a": b"b", "b": b""})
    ]

    assert len(set(digests)) == len(digests)
    assert digest({"a": b"1", "b": b"2"}) == digest({"b": b"2", "a": b"1"})


def test_reading_back_gives_what_was_written(root: Path) -> None:
    assert read_back(root) == FILES
    assert digest(read_back(root)) == digest(FILES)


def test_reading_back_names_what_is_not_as_it_was(root: Path) -> None:
    put(root, "terraform/main.tf", "mine")
    (root / "manifest.resolved.yaml").unlink()

    with pytest.raises(UsageError) as refused:
        read_back(root)

    assert (
        "\n  manifest.resolved.yaml (missing)\n  terraform/main.tf (changed since it was rendered)"
        in refused.value.message
    )


def test_reading_back_refuses_what_is_not_whole(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_back(tmp_path / "none")

    record = json.loads((root / ".gen-infra.json").read_text())
    put(root, ".gen-infra.json", json.dumps(record | {"pending": {"a": "0" * 64}}))
    with pytest.raises(UsageError, match="complete rendered environment"):
        read_back(root)

    (root / ".gen-infra.json").unlink()
    with pytest.raises(UsageError, match="complete rendered environment"):
        read_back(root)
