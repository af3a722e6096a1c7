"""Runs terraform (or OpenTofu) and reads its output, in one place.

`Terraform` is python-terraform's class with the one method replaced that starts the process, `Terraform.cmd`. That
fixes, in python-terraform 0.10.1: all environment variables passed on, or none; a misspelt method run as a command;
exit code 2 of a plan treated as a failure; the removed ``-force``; variables in temporary files and in the log;
strict UTF-8; and state files read into memory.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import python_terraform
from python_terraform import IsFlagged

from gen_infra.terraform.binary import Binary, find_terraform
from gen_infra.terraform.installed_modules import require_own_modules
from gen_infra.terraform.messages import Event, Messages, TerraformError, failure, parse_diagnostic
from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.provider import os_arch
from gen_infra.tools import process
from gen_infra.tools.child_environment import child_environment
from gen_infra.tools.diagnostics import Diagnostic
from gen_infra.tools.process import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gen_infra.errors import GenInfraError

__all__ = [
    "Binary",
    "Diagnostic",
    "Event",
    "Formatting",
    "PlanResult",
    "Terraform",
    "TerraformError",
    "Validation",
    "find_terraform",
]


@dataclass(frozen=True, slots=True)
class Validation:
    """The answer of ``terraform validate``."""

    valid: bool
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Formatting:
    """The files, relative to the folder, that ``terraform fmt`` would change, and how."""

    files: tuple[str, ...]
    diff: str


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan that was saved to ``path``."""

    path: Path
    has_changes: bool
    diagnostics: tuple[Diagnostic, ...]


class Terraform(python_terraform.Terraform):  # type: ignore[misc] # python-terraform ships no types
    """terraform in one folder; every method but `validate` and `fmt_check` raises the error that `failure` creates.

    Args:
        binary: from `find_terraform`.
        folder: the root module.
        environ: the caller's environment; terraform receives its allowed part.
        on_event: is given each `Event` of init, plan and apply as it comes.
        rescue_folders: where a state is saved that terraform cannot write anywhere; the first that has room.

    """

    def __init__(
        self,
        binary: Binary,
        folder: Path,
        environ: Mapping[str, str],
        *,
        on_event: Callable[[Event], None] | None = None,
        rescue_folders: Sequence[Path] = (),
    ) -> None:
        super().__init__(working_dir=str(folder), terraform_bin_path=binary.argv[0])
        self.variables = None  # an empty dict would become an empty temporary file on each command line
        self.binary = binary
        self.folder = folder
        self._env = child_environment(environ)
        self._on_event = on_event
        self._rescue_folders = rescue_folders

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no method {name!r}")

    def read_state_file(self, file_path: str | None = None) -> None:
        """Do nothing: the state is not needed in memory, and it holds secrets."""

    def argv(self, command: str, *args: str, **options: Any) -> list[str]:
        """Build the command line.

        Args:
            command: one or two words, such as ``state list``.
            args: what follows the options.
            options: ``lock_timeout="5s"`` is ``-lock-timeout=5s``, `IsFlagged` a bare flag, None leaves it out.

        """
        for name, value in options.items():
            if isinstance(value, dict) or name in {"synchronous", "capture_output", "raise_on_error"}:
                raise TypeError(f"{name}={value!r} is not supported")
        return [*self.binary.argv, *self.generate_cmd_string(command, *args, **options)[1:]]

    def cmd(
        self, cmd: str, *args: str, on_line: Callable[[str], None] | None = None, **options: Any
    ) -> tuple[int, str, str]:
        """Run a command as `argv` builds it: exit code, stdout (its end, if ``on_line`` gets each line), stderr."""
        argv = self.argv(cmd, *args, **{"no_color": IsFlagged, **options})
        require_own_modules(self.folder)
        try:
            completed = process.run(argv, cwd=self.folder, env=self._env, on_line=on_line)
        except StoppedError as stopped:
            stopped.hint = "run the same command again"
            raise
        return completed.returncode, completed.stdout, completed.stderr

    def init(
        self,
        *,
        backend: bool = True,
        plugin_dir: Path | None = None,
        upgrade: bool = False,
        keep_lock_file: bool = False,
    ) -> None:
        """Install providers and modules; never move a state or change the backend.

        Args:
            backend: False leaves the state alone: enough for validate.
            plugin_dir: the only place to take providers from; see `provider.find_provider`.
            upgrade: take newer versions than the lock file's.
            keep_lock_file: use the lock file as it is, and fail where it does not match.

        """
        self._stream(
            super().init,
            "init",
            Messages(self._on_init_event),
            backend=backend,
            reconfigure=None,
            plugin_dir=plugin_dir,
            upgrade=IsFlagged if upgrade else None,
            lockfile="readonly" if keep_lock_file else None,
        )

    def _on_init_event(self, event: Event) -> None:
        # A mirror has no signed checksums for other platforms; the lock file that terraform makes is for this machine.
        summary = event.diagnostic.summary if event.diagnostic else ""
        if event.diagnostic and summary == "Provider lock file not updated":
            advice = (
                f"the lock file has no checksum for {os_arch()}: run gen-infra lock --platform {os_arch()} MANIFEST"
            )
            event = replace(event, diagnostic=replace(event.diagnostic, summary=advice, detail=""))
        if self._on_event and summary != "Incomplete lock file information for providers":
            self._on_event(event)

    def lock_providers(self, platforms: Iterable[str], mirror: Path | str | None) -> None:
        """Write the lock file, or add to it, with the checksums for these platforms.

        Args:
            platforms: such as ``linux_amd64``.
            mirror: the folder or the https address of a mirror; None for the registry.

        """
        code, out, err = self.cmd(
            "providers lock",
            platform=list(platforms),
            fs_mirror=mirror if isinstance(mirror, Path) else None,
            net_mirror=mirror if isinstance(mirror, str) else None,
        )
        if code != 0:
            raise self._failure("providers lock", (), output=out + err)

    def validate(self) -> Validation:
        """Check the configuration, after `init`; without credentials and without state."""
        _, out, err = self.cmd("validate", json=IsFlagged)
        try:
            answer = json.loads(out)
        except ValueError:
            raise self._failure("validate", (), output=out + err) from None
        return Validation(answer["valid"], tuple(map(parse_diagnostic, answer["diagnostics"])))

    def fmt_check(self) -> Formatting:
        """Ask which files are not in canonical format; nothing is written."""
        code, files, err = self.cmd("fmt", check=IsFlagged, recursive=IsFlagged)
        if code == 0:
            return Formatting((), "")
        if code != 3:
            raise self._failure("fmt", (), output=err)
        _, diff, _ = self.cmd("fmt", write=False, list=False, diff=IsFlagged, recursive=IsFlagged)
        return Formatting(tuple(files.splitlines()), diff)

    def plan(
        self,
        out: Path,
        *,
        destroy: bool = False,
        refresh_only: bool = False,
        refresh: bool = True,
        targets: Sequence[str] = (),
        lock_timeout: str = "0s",
    ) -> PlanResult:
        """Make a plan and save it; after a failure there is no file at ``out``, though terraform writes one.

        Args:
            out: the file; readable by its owner alone, because a plan holds secrets.
            destroy: plan to remove everything.
            refresh_only: plan to take changes made elsewhere into the state, and nothing else.
            refresh: False trusts the state and does not call AWS.
            targets: plan only these addresses, and what they need.
            lock_timeout: how long to wait for another run, such as ``5m``.

        """
        out = out.absolute()
        out.parent.mkdir(parents=True, exist_ok=True)
        out.unlink(missing_ok=True)
        messages = Messages(self._on_event)
        try:
            code = self._stream(
                super().plan,
                "plan",
                messages,
                codes=(0, 2),
                out=out,
                destroy=IsFlagged if destroy else None,
                refresh_only=IsFlagged if refresh_only else None,
                refresh=refresh,
                target=list(targets) or None,
                lock_timeout=lock_timeout,
            )
        except BaseException:
            out.unlink(missing_ok=True)
            raise
        out.chmod(0o600)
        return PlanResult(out, has_changes=code == 2, diagnostics=tuple(messages.diagnostics))

    def show_plan(self, path: Path) -> PlanContent:
        """Read a plan file."""
        content = PlanContent(self._json("show", str(path.absolute())))
        if content.is_errored:
            raise TerraformError(f"{path} is the plan of a failed run", hint="plan again", cause="errored-plan")
        return content

    def apply(self, path: Path, *, lock_timeout: str = "0s", destroys: bool = False) -> None:
        """Carry out a saved plan, and nothing but that; ``destroys`` is what messages call it.

        If terraform cannot write the state anywhere, it is saved in a file that the error's hint names.

        Raises:
            StoppedError: after a Ctrl-C, when terraform has written the state and released the lock.

        """
        messages = Messages(self._on_event)
        try:
            self._stream(
                super().apply,
                "apply",
                messages,
                dir_or_plan=str(path.absolute()),
                skip_plan=True,
                lock_timeout=lock_timeout,
            )
        except StoppedError as stopped:
            failed = self._failure("apply", messages.diagnostics)
            if isinstance(failed, TerraformError) and failed.cause == "state-not-saved":
                raise self._with_rescued_state(failed, messages) from stopped
            raise self._stopped("destroy" if destroys else "apply", messages, stopped.completed) from stopped
        except TerraformError as error:
            raise self._with_rescued_state(error, messages) from error

    def output(self) -> dict[str, Any]:
        """Read the root module's outputs, name to value; without the sensitive ones."""
        outputs = self._json("output")
        return {name: output["value"] for name, output in outputs.items() if not output["sensitive"]}

    def state_pull(self) -> dict[str, Any]:
        """Read the whole state, secrets included, as it is kept; empty where there is none yet.

        ``terraform show -json`` would start the provider for it, which costs a second and more.
        """
        code, out, err = self.cmd("state pull")
        if code != 0:
            raise self._failure("state pull", (), output=err)
        state: dict[str, Any] = json.loads(out or "{}")
        return state

    def state_push(self, path: Path) -> None:
        """Put a state into its place; terraform refuses one of another lineage, and one that is older."""
        code, out, err = self.cmd("state push", str(path.absolute()))
        if code != 0:
            raise self._failure("state push", (), output=out + err)

    def state_list(self) -> list[str]:
        """Read the addresses of all that is in the state; empty where there is no state yet."""
        code, out, err = self.cmd("state list")
        if code != 0 and "No state file was found" in err:
            return []
        if code != 0:
            raise self._failure("state list", (), output=err)
        return out.splitlines()

    def _stopped(self, command: str, messages: Messages, completed: process.Completed | None) -> StoppedError:
        name = self._name(command)
        if messages.was_abandoned:
            return StoppedError(
                f"{name} was abandoned at the second interrupt: what was in flight may be missing from the state",
                completed=completed,
                hint="free the lock if it is left, then run the same command again, which adopts what AWS already has",
            )
        count = f"{messages.completed} change{'' if messages.completed == 1 else 's'}"
        was_cut_off = any(each.severity == "error" for each in messages.diagnostics)  # the provider waits for no answer
        return StoppedError(
            f"{name} was stopped: {count} done and in the state",
            completed=completed,
            hint="run the same command again to resume"
            + ("; it adopts what AWS has created anyway" if was_cut_off else ""),
        )

    def _json(self, command: str, *args: str) -> dict[str, Any]:
        code, out, err = self.cmd(command, *args, json=IsFlagged)
        if code != 0:
            raise self._failure(command, (), output=err)
        try:
            answer: dict[str, Any] = json.loads(out)
        except ValueError:
            raise TerraformError(
                f"the output of {self._name(command)} is cut off", hint="check whether the disk of TMPDIR is full"
            ) from None
        return answer

    def _stream(
        self,
        method: Callable[..., tuple[int, str, str]],
        command: str,
        messages: Messages,
        *,
        codes: tuple[int, ...] = (0,),
        **options: Any,
    ) -> int:
        code, out, err = method(json=IsFlagged, on_line=messages.feed, **options)
        if code not in codes:
            raise self._failure(command, messages.diagnostics, output=out + err)
        return code

    @property
    def _program(self) -> str:
        return "tofu" if self.binary.flavour == "opentofu" else "terraform"

    def _name(self, command: str) -> str:
        return f"{self._program} {command}"

    @property
    def typed(self) -> str:
        """Return how a command line for this folder starts."""
        return f"{self._program} -chdir={shlex.quote(str(self.folder))}"

    def _failure(self, command: str, diagnostics: Iterable[Diagnostic], output: str = "") -> GenInfraError:
        return failure(self._name(command), diagnostics, output=output, terraform=self.typed)

    def _with_rescued_state(self, error: TerraformError, messages: Messages) -> TerraformError:
        """Save the state that terraform could not write, and let the hint name the file."""
        if not messages.unsaved_state:
            return error
        content = json.dumps(messages.unsaved_state).encode()
        for folder in self._rescue_folders:
            with suppress(OSError):
                error.hint = error.hint.replace("errored.tfstate", str(_saved(content, folder)))
                return error
        error.hint = "the state could not be written anywhere: run the same command again, which adopts what AWS has"
        return error


def _saved(content: bytes, folder: Path) -> Path:
    """Write a new file whole, for its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="rescued-", suffix=".tfstate", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)
