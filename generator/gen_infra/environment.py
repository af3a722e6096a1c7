"""One environment: its manifest with source positions, the files it renders to, one AWS session, one terraform.

Each of them is made when it is first used, and then kept: a command reads the manifest once, opens one boto3 session,
and looks terraform up once.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.errors import GenInfraError, MissingError
from gen_infra.render.cache import IMPORTED, forget
from gen_infra.render.files import render
from gen_infra.render.imports import import_ids
from gen_infra.render.writer import digest
from gen_infra.tools.versions import LOCK_FILE, TERRAFORM_WITH_S3_LOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_infra.aws.session import Clients, Identity
    from gen_infra.manifest import Loaded, Manifest
    from gen_infra.manifest.reading.nodes import Problem
    from gen_infra.terraform.adapter import Binary, Event, Terraform
    from gen_infra.terraform.lock_file import LockFile
    from gen_infra.terraform.saved_plan import Intent, Origin, SavedPlan


@dataclass(eq=False)
class Environment:
    """An environment as its manifest describes it; nothing is written or called until it is needed.

    Args:
        loaded: the manifest, its source positions and its warnings.
        root: the folder for the rendered files.
    """

    loaded: Loaded
    root: Path
    _is_initialized: bool = field(default=False, init=False, repr=False)

    @property
    def manifest(self) -> Manifest:
        """Return the manifest, with its parents merged and its defaults filled in."""
        return self.loaded.manifest

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return what is accepted and may still be a mistake, in file order."""
        return self.loaded.warnings

    def origin(self, key_path: tuple[str | int, ...]) -> str:
        """Say where a value of the manifest was written, such as ``envs/prod.yaml:8``, or ``default``."""
        from gen_infra.manifest.reading.nodes import origin

        return origin(self.loaded.nodes, key_path)

    @cached_property
    def lock_file(self) -> LockFile | None:
        """Return the lock file beside the manifest, if there is one.

        Raises:
            UsageError: it is a link, or not a file.
        """
        from gen_infra.terraform.lock_file import lock_file_beside

        return lock_file_beside(self.loaded.sources[0].path)

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """Return the rendered files, by their path below the root; among them a copy of the lock file.

        Imports that were applied from this folder are left out.
        """
        files, lock_file = render(self.manifest, self._imported), self.lock_file
        return files | ({f"terraform/{LOCK_FILE}": lock_file.content} if lock_file else {})

    @property
    def import_ids(self) -> dict[str, str]:
        """Return what the rendered files import: address to id."""
        return {address: id_ for address, id_ in import_ids(self.manifest).items() if address not in self._imported}

    @cached_property
    def _imported(self) -> frozenset[str]:
        """Return the addresses that an apply from this folder has imported."""
        with suppress(OSError, ValueError, TypeError):
            return frozenset(json.loads((self.root / IMPORTED).read_text(encoding="utf-8")))
        return frozenset()

    def note_imported(self, state: Mapping[str, Any]) -> None:
        """Note which resources of the manifest's section ``existing`` are in a state: they are imported once.

        The note is of this folder. From another one, the files import them once more, which terraform ignores.
        """
        from gen_infra.terraform.plan import addresses

        found = sorted({*addresses(state)} & {*import_ids(self.manifest)})
        if found:
            (self.root / IMPORTED).write_text(json.dumps(found), encoding="utf-8")
            forget(self.root)  # the next render leaves the imports out

    def forget_lost_imports(self) -> tuple[str, ...]:
        """Import again what an apply from this folder has imported and the state has lost; return its addresses.

        The files are rendered with these imports then. A state that cannot be read is left to terraform.
        """
        if not self._imported:
            return ()
        from gen_infra.terraform.plan import addresses

        try:
            held = {*addresses(json.loads(self.read_state()))}
        except FileNotFoundError:
            held = set()
        except (GenInfraError, OSError, ValueError, LookupError, TypeError):
            return ()
        lost = sorted((self._imported & {*import_ids(self.manifest)}) - held)
        if lost:
            (self.root / IMPORTED).write_text(json.dumps(sorted(self._imported & held)), encoding="utf-8")
            forget(self.root)
            for made_from_it in ("_imported", "files", "digest"):
                self.__dict__.pop(made_from_it, None)
        return tuple(lost)

    @cached_property
    def digest(self) -> str:
        """Return a hash of every rendered file."""
        return digest(self.files)

    @property
    def terraform_folder(self) -> Path:
        """Return the folder that terraform runs in."""
        return self.root / "terraform"

    @property
    def state_place(self) -> str:
        """Return the place of Terraform's state: a file, or an object in a bucket."""
        state = self.manifest.state
        if state == "local":
            return str(self.terraform_folder / "terraform.tfstate")
        return f"s3://{state.bucket}/{self.manifest.state_key}"

    def lock_id(self) -> str:
        """Read the id of the lock on a state in a bucket, while a run of terraform holds it."""
        from gen_infra.aws.state_bucket import lock_id

        state = self.manifest.state
        return "" if state == "local" else lock_id(self.clients, state.bucket, self.manifest.state_key)

    def read_state(self) -> bytes:
        """Read the state file as it is, without terraform.

        Raises:
            FileNotFoundError: there is none yet, or no more.
            OSError, AwsError: it cannot be read.
        """
        from gen_infra.aws.state_bucket import read_state

        state = self.manifest.state
        if state == "local":
            return Path(self.state_place).read_bytes()
        return read_state(self.clients, state.bucket, self.manifest.state_key)

    @property
    def rescue_folders(self) -> tuple[Path, ...]:
        """Return the folders for a state that terraform cannot save; a reboot empties neither."""
        manifest = self.manifest
        identity = f"{manifest.name}-{manifest.account}-{manifest.region}"
        state_home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        return self.terraform_folder, state_home / "gen-infra" / identity

    @property
    def saved_plan(self) -> SavedPlan:
        """Return the plan that is kept beside the rendered files."""
        from gen_infra.terraform.saved_plan import SavedPlan

        return SavedPlan(self.root / "plan")

    def plan_origin(self, intent: Intent) -> Origin:
        """Return what a plan for this purpose is made from."""
        from gen_infra.terraform.saved_plan import Origin

        identity = {
            "name": self.manifest.name,
            "account": self.manifest.account,
            "region": self.manifest.region,
            "folder": str(self.root.resolve()),
        }
        return Origin(identity, intent, self.digest)

    @cached_property
    def clients(self) -> Clients:
        """Return the AWS clients for the manifest's region, all from one session."""
        from gen_infra.aws.session import clients

        return clients(self.manifest.region)

    def require_account(self) -> Identity:
        """Give the caller, who must belong to the manifest's account; AWS is called once.

        Raises:
            UsageError: the credentials belong to another account.
        """
        return self._caller

    def require_image_parameters(self) -> None:
        """Look at the SSM parameters that name images, before Terraform reads their values into the plan and state.

        Raises:
            UsageError: a parameter is for something else, which might be a secret.
        """
        from gen_infra.aws.images import named_image

        for source in {image.run_source for image in self.manifest.own_images().values()}:
            if source.startswith("/"):
                named_image(self.clients, source)

    @cached_property
    def _caller(self) -> Identity:
        from gen_infra.aws.session import require_account

        return require_account(self.clients, self.manifest.account)

    @cached_property
    def terraform_binary(self) -> Binary:
        """Return the terraform to run, new enough for the manifest."""
        return find_terraform_for(self.manifest)

    def use_terraform(self, binary: Binary) -> None:
        """Use a terraform that was found already.

        Raises:
            MissingError: it is too old for the manifest.
        """
        _require_locks(binary, self.manifest)
        self.terraform_binary = binary

    @cached_property
    def plugin_dir(self) -> Path | None:
        """Return the folder that terraform takes the AWS provider from; None where it needs no help to find it."""
        from gen_infra.terraform.provider import find_provider

        flavour = self.terraform_binary.flavour
        return find_provider(os.environ, flavour=flavour, provider=self.manifest.provider).plugin_dir

    def terraform(self, on_event: Callable[[Event], None] | None = None) -> Terraform:
        """Open terraform in the rendered folder, and initialize it the first time.

        Args:
            on_event: receives terraform's steps, but for what exists in its state alone.
        """
        from gen_infra.terraform.adapter import Terraform

        binary = self.terraform_binary
        receive = _without_notes(on_event) if on_event else None
        terraform = Terraform(
            binary, self.terraform_folder, os.environ, on_event=receive, rescue_folders=self.rescue_folders
        )
        if not self._is_initialized:
            if self.lock_file:
                self.lock_file.version(binary.flavour, self.manifest.provider)
            terraform.init(plugin_dir=self.plugin_dir, keep_lock_file=self.lock_file is not None)
            self._is_initialized = True
        return terraform


def find_terraform_for(manifest: Manifest) -> Binary:
    """Find a terraform that is new enough for a manifest.

    Raises:
        MissingError: there is none, or it cannot lock the manifest's state bucket.
    """
    from gen_infra.terraform.adapter import find_terraform

    binary = find_terraform(os.environ)
    _require_locks(binary, manifest)
    return binary


def _require_locks(binary: Binary, manifest: Manifest) -> None:
    """Raise a MissingError if this terraform cannot lock the manifest's state bucket."""
    if manifest.state != "local" and tuple(map(int, binary.version.split(".")[:2])) < TERRAFORM_WITH_S3_LOCKS:
        raise MissingError(
            f"{binary.flavour} {binary.version} cannot lock a state bucket: version 1.10 or later is needed",
            hint="install a newer terraform, or use `state: local`",
        )


def _without_notes(on_event: Callable[[Event], None]) -> Callable[[Event], None]:
    from gen_infra.terraform.plan import is_note

    def receive(event: Event) -> None:
        if not is_note(event.address):
            on_event(event)

    return receive
