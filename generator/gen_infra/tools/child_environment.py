"""Select the environment variables that a tool may see.

This is an allow list, because environment variables control the tools: ``TF_CLI_ARGS_plan=-destroy``, ``TF_VAR_*``,
``PKR_VAR_*``, ``TF_DATA_DIR``, ``TF_WORKSPACE`` and ``CKV_*`` would change what a run does, and ``TF_LOG`` and
``PACKER_LOG`` write secrets. Variables that are not listed here are removed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = frozenset(
    {
        # the machine and the user
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TERM", "TZ"),
        *("TMPDIR", "GOGC", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS", "SSH_AUTH_SOCK"),
        # access to the network
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        # the tools' plugins
        *("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"),
        *("PACKER_CONFIG", "PACKER_CONFIG_DIR", "PACKER_CACHE_DIR", "PACKER_PLUGIN_PATH"),
    }
)
_PREFIXES = ("AWS_", "LC_", "TF_TOKEN_")
# Makes Go collect garbage less often. Terraform mostly reads the provider's schema: with this it needs about two thirds
# of the CPU time and a twelfth more memory (bench/README.md).
_DEFAULTS = {"GOGC": "400"}
_SET = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Build a tool's environment variables: the allowed ones of ``environ``, and those that prevent questions.

    ``TF_CLI_CONFIG_FILE`` is removed when that file does not exist, because terraform warns about it on every call.
    ``AWS_ENDPOINT_URL`` is set for STS by name too; without that, terraform assumes a profile's role at the real AWS.
    """
    allowed = {name: value for name, value in environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
    config = allowed.get("TF_CLI_CONFIG_FILE")
    if config is not None and not Path(config).is_file():
        del allowed["TF_CLI_CONFIG_FILE"]
    if "AWS_ENDPOINT_URL" in allowed:
        allowed.setdefault("AWS_ENDPOINT_URL_STS", allowed["AWS_ENDPOINT_URL"])
    return _DEFAULTS | allowed | _SET
