"""Push to the registry of the emulator's ECR with skopeo, and pull from it."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING, Any

from tests.conftest import require_tool

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from tests.emulator.probes import Lab


def login(lab: Lab, session: boto3.Session | None = None) -> str:
    """Return the user name and password of a caller, by default of the administrator."""
    if session is None:
        client = lab.client("ecr")
    else:
        made: Any = session
        client = made.client("ecr", endpoint_url=lab.endpoint)
    token: str = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode()


def skopeo(*arguments: str | Path, fails: bool = False) -> str:
    """Run skopeo, and return what it says."""
    answer = subprocess.run(
        [require_tool("skopeo"), "--insecure-policy", *arguments], capture_output=True, text=True, check=False
    )
    assert bool(answer.returncode) == fails, answer.stderr
    return answer.stderr if fails else answer.stdout


def push(lab: Lab, source: str, target: str, *, credentials: str = "", fails: bool = False, flags: str = "") -> str:
    place = f"docker://{lab.endpoint.removeprefix('http://')}/{target}"
    options = ["--dest-tls-verify=false", f"--dest-creds={credentials or login(lab)}", *flags.split()]
    return skopeo("copy", *options, source, place, fails=fails)


def pull(lab: Lab, source: str, target: str, *, credentials: str = "", fails: bool = False, flags: str = "") -> str:
    place = f"docker://{lab.endpoint.removeprefix('http://')}/{source}"
    options = ["--src-tls-verify=false", f"--src-creds={credentials or login(lab)}", *flags.split()]
    return skopeo("copy", *options, place, target, fails=fails)
