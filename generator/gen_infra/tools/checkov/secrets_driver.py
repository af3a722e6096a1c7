"""Find secrets in lines of text inside checkov's own Python, which includes detect-secrets.

Request on stdin: a JSON list of lines. Answer on stdout: for each line, a list of ``[kind, secret]``, such as
``["Slack Token", "xoxb-…"]``.

It uses the detectors of documented formats. Those of high entropy, of names and of Artifactory (``AP`` and ten
characters) find digests, job parameters and sample ids in honest manifests; the reader has rules of its own for names.
"""

from __future__ import annotations

import json
import logging
import sys

_DETECTORS = (
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "IbmCloudIamDetector",
    "IbmCosHmacDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "PrivateKeyDetector",
    "SendGridDetector",
    "SlackDetector",
    "SoftlayerDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TwilioKeyDetector",
)
# A comment in the line must not disable the search.
_DISABLED_FILTER = "detect_secrets.filters.allowlist.is_line_allowlisted"


def main() -> None:
    """Answer one request."""
    logging.disable(logging.CRITICAL)
    del sys.path[0]  # this folder, so that nothing in it hides a package
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    lines = json.load(sys.stdin)
    with transient_settings({"plugins_used": [{"name": name} for name in _DETECTORS]}) as settings:
        settings.disable_filters(_DISABLED_FILTER)
        found = [
            sorted({(each.type, each.secret_value) for each in scan_line(line) if each.secret_value}) for line in lines
        ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
