"""Values whose form AWS or a registry checks: what is accepted, and what is refused before anything is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from gen_infra.manifest.model import base
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "0a" * 32
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

# Type -> valid and invalid values.
VALUES = {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    "BucketName": (
        ["abc", "lab.results-2", "a" * 63, "x-s3", "mrap", "a.mrap.b", "my-sthree-a", "s3alias", "9lives", "ol-s3--x"],
        [
            "ab", "a" * 64, "Results", "a_b", "-abc", "abc-", "a..b", "a.-b", "a-.b", "192.168.1.1", "abc\n",
            "xn--abc", "sthree-abc", "sthree-configurator", "amzn-s3-demo-bucket", "abc-s3alias", "abc--ol-s3",
            "abc.mrap", "abc--use1-az4--x-s3", "abc--x-s3", "abc--table-s3",
        ],
    ),
    # https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2
    "EmailAddress": (
        ["ops@example.com", "a.b+c@x-y.example.org", "O'Brien@example.ie", "a@b.c4m", f"{'a' * 64}@example.com"],
        [
            "ops", "@example.com", "ops@", "ops@example", ".ops@example.com", "ops.@example.com", "o..ps@example.com",
            "ops@-example.com", "ops@example-.com", "ops@example..com", "ops@.com", "ops@example.com.", "ops@1.2.3.4",
            "a b@example.com", "ops@exa_mple.com", f"{'a' * 65}@example.com", "ops@example.com\n", "a@b@example.com",
            f"ops@{'e' * 64}.com",
        ],
    ),
    # https://github.com/distribution/reference/blob/main/reference_test.go and normalize_test.go
    "ContainerImage": (
        [
            "isaac", "isaac:1.0", f"isaac@{DIGEST}", f"isaac:1.0@{DIGEST}", "team/isaac", "samtools.v2:1", "a__b/c--d",
            "quay.io/biocontainers/samtools:1.21--h50ea8bc_0", f"{HOST}/lab/isaac:1", "localhost/x", "localhost:5000/x",
            "registry:5000/a/b:v_1", "Registry.example.com/a", "sub-dom1.foo.com/bar/baz/quux", "xn--n3h.com/myimage",
            "public.ecr.aws/docker/library/alpine:3.20", "a" * 255, "10.0.0.1:5000/x",
        ],
        [
            "", "x_y.io/a", "a:b:c", "isaac:", "isaac@", "isaac@sha256:ab", "UPPER", "repo/UPPER", "-foo/bar",
            "foo-/bar", "foo/bar-", "foo//bar", "/foo", "foo/", "a___b", "a..b", "a._b", "-x.io/a", "x-.io/a",
            "x..io/a", "x.io:/a",
            "x.io:123456/a", "x.io:port/a", "isaac:.1", f"isaac:{'v' * 129}", "https://quay.io/a", "a b", "isaac\n",
            "a" * 256, f"isaac@{DIGEST.upper()}", "quay.io/", "quay.io:443/A",
        ],
    ),
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    "Schedule": (
        ["rate(1 hour)", "rate(1 day)", "rate(2 hours)", "rate(10 days)", "rate(999 days)", "cron(0 3 ? * SUN *)"],
        [
            "rate(1 hours)", "rate(1 days)", "rate(2 hour)", "rate(7 day)", "rate(0 days)", "rate(01 days)",
            "rate(5 minutes)", "rate(1000 days)", "rate(7 days) ", "cron(0 3 ? * SUN)", "cron(0  3 ? * SUN *)",
            "at(2026-11-20T13:00:00)", "cron(0 3 ? * sun *)",
        ],
    ),
}  # fmt: skip
CASES = [(kind, value, index == 0) for kind, sides in VALUES.items() for index in (0, 1) for value in sides[index]]


@pytest.mark.parametrize(("kind", "value", "is_valid"), CASES)
def test_value(kind: str, value: str, is_valid: bool) -> None:
    try:
        msgspec.convert(value, getattr(base, kind))
    except msgspec.ValidationError:
        assert not is_valid
    else:
        assert is_valid


def test_a_reserved_bucket_name_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r'"data--ol-s3" is not 3 to 63 .* reserves \(xn--, .*--ol-s3, \.mrap'):
        accept(tmp_path, state={"bucket": "data--ol-s3"})
