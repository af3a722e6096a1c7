"""Push to the registry of the emulator's ECR and pull from it: with skopeo, as people do, and request by request."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.emulator.distribution import tokens
from tests import oci
from tests.emulator.probes import Lab, refusal
from tests.emulator.pushed import upload_layer
from tests.emulator.skopeo import login, pull, push, skopeo

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from gen_infra.emulator import Emulator

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PULL = {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
PUSH = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
}


@pytest.fixture(scope="module")
def lab(aws: Emulator) -> Lab:
    return Lab(aws.endpoint)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> oci.Layout:
    """Two images, and an index of both for two platforms."""
    made = oci.Layout(tmp_path_factory.mktemp("images") / "layout")
    shared = oci.layer(oci.folder("bin"), oci.member("bin/shared", os.urandom(100_000)))
    images = [
        made.manifest(
            [shared, oci.layer(oci.member("etc/architecture", name.encode()))], {"Cmd": ["shared"]}, architecture=name
        )
        for name in ("amd64", "arm64")
    ]
    for image, name in zip(images, ("amd64", "arm64"), strict=True):
        made.tag(image, name)
    platforms = [
        image | {"platform": {"os": "linux", "architecture": name}}
        for image, name in zip(images, ("amd64", "arm64"), strict=True)
    ]
    made.tag(made.index(*platforms), "both")
    return made


@pytest.fixture
def repository(lab: Lab) -> str:
    name = lab.name("prod/tool")
    lab.client("ecr").create_repository(repositoryName=name)
    return name


def user(lab: Lab, repository: str, *actions: str) -> boto3.Session:
    """Make a user who may log in, and do this with a repository."""
    arn = f"arn:aws:ecr:us-east-1:123456789012:repository/{repository}"
    return lab.user(
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": list(actions) or "ecr:DescribeImages", "Resource": arn},
    )


def blobs(layout: Path) -> set[str]:
    return {path.name for path in (layout / "blobs" / "sha256").iterdir()}


class TestSkopeo:
    """The real client."""

    def test_what_is_pushed_is_described_and_pulled_back(
        self, lab: Lab, layout: oci.Layout, repository: str, tmp_path: Path
    ) -> None:
        push(lab, f"oci:{layout.place}:amd64", f"{repository}:1.0")
        [image] = lab.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
        digest, tags = image["imageDigest"], image["imageTags"]
        assert tags == ["1.0"]
        manifest = (layout.place / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()
        content = json.loads(manifest)
        assert image["imageSizeInBytes"] == sum(part["size"] for part in (content["config"], *content["layers"]))
        assert lab.client("ecr").list_images(repositoryName=repository)["imageIds"] == [
            {"imageDigest": digest, "imageTag": "1.0"}
        ]
        [got] = lab.client("ecr").batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "1.0"}])["images"]
        assert got["imageManifest"].encode() == manifest
        for number, reference in enumerate((":1.0", f"@{digest}")):
            pull(lab, f"{repository}{reference}", f"oci:{tmp_path}/{number}:amd64")
            assert blobs(tmp_path / str(number)) == {
                digest.removeprefix("sha256:"),
                *(part["digest"].removeprefix("sha256:") for part in (content["config"], *content["layers"])),
            }

    def test_an_index_with_all_its_images(self, lab: Lab, layout: oci.Layout, repository: str, tmp_path: Path) -> None:
        push(lab, f"oci:{layout.place}:both", f"{repository}:2.0", flags="--all")
        images = lab.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
        assert sorted(image.get("imageTags", []) for image in images) == [[], [], ["2.0"]]
        pull(lab, f"{repository}:2.0", f"oci:{tmp_path}/back:both", flags="--all")
        assert blobs(tmp_path / "back") == blobs(layout.place)
        listed = skopeo(
            "list-tags", "--tls-verify=false", f"--creds={login(lab)}", f"docker://{lab.endpoint[7:]}/{repository}"
        )
        assert json.loads(listed)["Tags"] == ["2.0"]

    def test_an_immutable_tag(self, lab: Lab, layout: oci.Layout, repository: str) -> None:
        lab.client("ecr").put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
        push(lab, f"oci:{layout.place}:amd64", f"{repository}:1.0")
        said = push(lab, f"oci:{layout.place}:arm64", f"{repository}:1.0", fails=True)
        assert f"The image tag '1.0' already exists in the '{repository}' repository and cannot be overwritten" in said
        push(lab, f"oci:{layout.place}:arm64", f"{repository}:1.1")

    def test_an_unknown_repository(self, lab: Lab, layout: oci.Layout) -> None:
        said = push(lab, f"oci:{layout.place}:amd64", "no/such:1.0", fails=True)
        assert "The repository with name 'no/such' does not exist in the registry with id '123456789012'" in said

    @pytest.mark.parametrize("missing", sorted(PUSH))
    def test_a_push_needs_each_of_these_actions(
        self, lab: Lab, layout: oci.Layout, repository: str, missing: str
    ) -> None:
        allowed = login(lab, user(lab, repository, *PUSH - {missing}))
        said = push(lab, f"oci:{layout.place}:amd64", f"{repository}:1.0", credentials=allowed, fails=True)
        # The answer to HEAD, with which skopeo asks for layers, has no message.
        refused = "403 (Forbidden)" if missing == "ecr:BatchCheckLayerAvailability" else f"to perform: {missing} on"
        assert refused in said
        assert lab.client("ecr").list_images(repositoryName=repository)["imageIds"] == []

    def test_a_user_who_may_push_and_pull(self, lab: Lab, layout: oci.Layout, repository: str, tmp_path: Path) -> None:
        may_push, may_pull = (login(lab, user(lab, repository, *actions)) for actions in (PUSH, PULL))
        push(lab, f"oci:{layout.place}:amd64", f"{repository}:1.0", credentials=may_push)
        pull(lab, f"{repository}:1.0", f"oci:{tmp_path}/back:1.0", credentials=may_pull)
        said = pull(lab, f"{repository}:1.0", f"oci:{tmp_path}/other:1.0", credentials=may_push, fails=True)
        assert "is not authorized to perform: ecr:BatchGetImage" in said

    def test_another_password(self, lab: Lab, layout: oci.Layout, repository: str) -> None:
        push(lab, f"oci:{layout.place}:amd64", f"{repository}:1.0", credentials="AWS:secret", fails=True)
        expired = tokens.write(tokens.Token("testing", "us-east-1", 1_700_000_000))
        said = push(lab, f"oci:{layout.place}:amd64", f"{repository}:1.0", credentials=f"AWS:{expired}", fails=True)
        assert "403 (Forbidden)" in said


class Requests:
    """The distribution API without a client that knows it."""

    def __init__(self, lab: Lab) -> None:
        self._connection = http.client.HTTPConnection(lab.endpoint.removeprefix("http://"), timeout=30)
        self._login = "Basic " + base64.b64encode(login(lab).encode()).decode()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(
            method, path, body, {"Authorization": self._login, **named}, encode_chunked="Transfer_Encoding" in headers
        )
        answer = self._connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        status, _, content = self(method, path, body, **headers)
        [error] = json.loads(content)["errors"]
        assert error["message"]
        return status, error["code"]


@pytest.fixture(scope="module")
def ask(lab: Lab) -> Requests:
    return Requests(lab)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class TestRequests:
    """What skopeo does not do, or hides."""

    def test_a_layer_in_parts(self, ask: Requests, repository: str) -> None:
        content = os.urandom(300_000)
        status, headers, _ = ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert (status, headers["Range"]) == (202, "0-0")
        place = headers["Location"]
        status, headers, _ = ask("PATCH", place, content[:100_000], Content_Range="0-99999")
        assert (status, headers["Range"]) == (202, "0-99999")
        assert ask.refused("PATCH", place, b"late", Content_Range="100001-100004") == (416, "BLOB_UPLOAD_INVALID")
        status, headers, _ = ask("PATCH", place, iter([content[100_000:150_000], content[150_000:200_000]]),
                                 Transfer_Encoding="chunked")  # fmt: skip
        assert (status, headers["Range"]) == (202, "0-199999")
        status, headers, _ = ask("GET", place)
        assert (status, headers["Range"]) == (204, "0-199999")
        status, headers, _ = ask("PUT", f"{place}?digest={digest_of(content)}", content[200_000:])
        assert (status, headers["Docker-Content-Digest"]) == (201, digest_of(content))
        assert ask("GET", headers["Location"])[2] == content
        status, headers, body = ask("HEAD", headers["Location"])
        assert (status, headers["Content-Length"], body) == (200, "300000", b"")
        assert ask.refused("PUT", f"{place}?digest={digest_of(content)}") == (404, "BLOB_UPLOAD_UNKNOWN")

    def test_a_layer_in_one_request(self, ask: Requests, repository: str) -> None:
        content = os.urandom(1000)
        status, headers, _ = ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}", content)
        assert status == 201
        assert ask("GET", headers["Location"])[2] == content

    def test_a_layer_of_another_repository(self, lab: Lab, ask: Requests, repository: str) -> None:
        other, content = lab.name("prod/other"), os.urandom(1000)
        lab.client("ecr").create_repository(repositoryName=other)
        digest = digest_of(content)
        ask("POST", f"/v2/{other}/blobs/uploads/?digest={digest}", content)
        assert ask("HEAD", f"/v2/{repository}/blobs/{digest}")[0] == 404
        status, headers, _ = ask("POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={other}")
        assert (status, headers["Location"]) == (201, f"/v2/{repository}/blobs/{digest}")
        assert ask("GET", f"/v2/{repository}/blobs/{digest}")[2] == content
        missing = digest_of(b"missing")
        assert ask("POST", f"/v2/{repository}/blobs/uploads/?mount={missing}&from={other}")[0] == 202

    def test_a_layer_of_a_repository_that_the_caller_may_not_read(self, lab: Lab, repository: str) -> None:
        admin, content = Requests(lab), os.urandom(1000)
        digest, target = digest_of(content), lab.name("prod/target")
        admin("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", content)
        lab.client("ecr").create_repository(repositoryName=target)
        pusher = Requests(lab)
        pusher._login = "Basic " + base64.b64encode(login(lab, user(lab, target, *PUSH)).encode()).decode()
        assert pusher("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={repository}")[0] == 202
        assert admin("HEAD", f"/v2/{target}/blobs/{digest}")[0] == 404

    def test_a_wrong_digest(self, ask: Requests, repository: str) -> None:
        wrong = digest_of(b"else")
        _, headers, _ = ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert ask.refused("PUT", f"{headers['Location']}?digest={wrong}", b"this") == (400, "DIGEST_INVALID")
        assert ask("HEAD", f"/v2/{repository}/blobs/{wrong}")[0] == 404
        manifest = json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": []})
        path = f"/v2/{repository}/manifests/{wrong}"
        assert ask.refused("PUT", path, manifest, Content_Type=oci.INDEX) == (400, "DIGEST_INVALID")

    def test_a_manifest_without_its_parts(self, ask: Requests, repository: str) -> None:
        part = {"digest": digest_of(b"missing"), "size": 7, "mediaType": oci.LAYER}
        path = f"/v2/{repository}/manifests/1.0"
        image = json.dumps({"schemaVersion": 2, "config": part, "layers": []})
        assert ask.refused("PUT", path, image, Content_Type=oci.MANIFEST) == (404, "BLOB_UNKNOWN")
        index = json.dumps({"schemaVersion": 2, "manifests": [part]})
        assert ask.refused("PUT", path, index, Content_Type=oci.INDEX) == (404, "MANIFEST_BLOB_UNKNOWN")
        assert ask.refused("GET", path) == (404, "MANIFEST_UNKNOWN")

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"[]",
            b"{}",
            b"\xff",
            "{}".encode("utf-16"),
            b'{"config": 1, "layers": 2}',
            b'{"config": "a", "layers": ["b"]}',
            b'{"config": {"digest": []}, "layers": []}',
            b"[" * 100_000,
            b" " * 5_000_000,
        ],
        ids=range(10),
    )
    def test_a_manifest_that_is_none(self, ask: Requests, repository: str, body: bytes) -> None:
        path = f"/v2/{repository}/manifests/1.0"
        assert ask.refused("PUT", path, body, Content_Type=oci.MANIFEST) == (400, "MANIFEST_INVALID")
        assert ask.refused("PUT", path, b"{}", Content_Type="text/plain") == (400, "MANIFEST_INVALID")

    @pytest.mark.parametrize(
        "path", ["/v2/no/such/tags/list", "/v2/no/such/manifests/1.0", f"/v2/no/such/blobs/{digest_of(b'')}"]
    )
    def test_an_unknown_repository(self, ask: Requests, path: str) -> None:
        assert ask.refused("GET", path) == (404, "NAME_UNKNOWN")

    def test_of_several_pushes_of_an_immutable_tag_one_succeeds(self, lab: Lab, repository: str) -> None:
        lab.client("ecr").put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")

        def put(number: int) -> int:
            manifest = json.dumps({"schemaVersion": 2, "manifests": [], "annotations": {"number": str(number)}})
            return Requests(lab)("PUT", f"/v2/{repository}/manifests/1.0", manifest, Content_Type=oci.INDEX)[0]

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(put, range(8))) == [201, *[400] * 7]
        assert len(lab.client("ecr").list_images(repositoryName=repository)["imageIds"]) == 1

    def test_what_ecr_does_not_do(self, ask: Requests, repository: str) -> None:
        assert ask.refused("DELETE", f"/v2/{repository}/manifests/1.0") == (405, "UNSUPPORTED")
        assert ask.refused("GET", "/v2/../../etc/passwd") == (405, "UNSUPPORTED")

    def test_an_expired_token(self, ask: Requests, repository: str) -> None:
        password = tokens.write(tokens.Token("testing", "us-east-1", 1_700_000_000))
        expired = "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()
        assert ask.refused("GET", f"/v2/{repository}/tags/list", Authorization=expired) == (403, "DENIED")

    def test_the_way_to_log_in(self, lab: Lab, ask: Requests) -> None:
        assert ask("GET", "/v2/")[0] == 200
        status, headers, _ = ask("GET", "/v2/", Authorization="")
        assert (status, headers["WWW-Authenticate"]) == (
            401,
            f'Basic realm="{lab.endpoint}/",service="ecr.amazonaws.com"',
        )

    def test_tags_in_pages(self, ask: Requests, repository: str) -> None:
        for number in range(3):
            manifest = json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [], "annotations": number})
            ask("PUT", f"/v2/{repository}/manifests/{number}", manifest, Content_Type=oci.INDEX)
        _, headers, body = ask("GET", f"/v2/{repository}/tags/list?n=2")
        assert json.loads(body)["tags"] == ["0", "1"]
        following = headers["Link"].partition("<")[2].partition(">")[0]
        _, headers, body = ask("GET", following)
        assert (json.loads(body)["tags"], headers.get("Link")) == (["2"], None)


def test_an_image_put_by_the_api_is_pulled(lab: Lab, repository: str, layout: oci.Layout, tmp_path: Path) -> None:
    ecr = lab.client("ecr")
    [descriptor] = [
        each
        for each in json.loads((layout.place / "index.json").read_text())["manifests"]
        if each["annotations"]["org.opencontainers.image.ref.name"] == "amd64"
    ]
    stored = layout.place / "blobs" / "sha256"
    manifest = (stored / descriptor["digest"].removeprefix("sha256:")).read_text()
    content = json.loads(manifest)
    for part in (content["config"], *content["layers"]):
        blob = (stored / part["digest"].removeprefix("sha256:")).read_bytes()
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        for first in range(0, len(blob), 60_000):
            piece = blob[first : first + 60_000]
            ecr.upload_layer_part(
                repositoryName=repository,
                uploadId=upload,
                partFirstByte=first,
                partLastByte=first + len(piece) - 1,
                layerPartBlob=piece,
            )
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[part["digest"]])
    answer = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag="api")
    assert answer["image"]["imageId"] == {"imageDigest": descriptor["digest"], "imageTag": "api"}
    pull(lab, f"{repository}:api", f"oci:{tmp_path}/back:api")
    again = refusal(ecr.put_image, repositoryName=repository, imageManifest=manifest, imageTag="api")
    assert again == "ImageAlreadyExistsException"


def test_a_download_goes_on_where_it_ended(lab: Lab, repository: str, ask: Requests) -> None:
    """Docker continues a download that broke off."""
    content = os.urandom(1000)
    place = f"/v2/{repository}/blobs/{upload_layer(lab.client('ecr'), repository, content)}"
    answers = [ask("GET", place, Range=f"bytes={first}-") for first in (0, 400, 1000)]
    assert [status for status, _, _ in answers] == [206, 206, 416]
    assert [body for _, _, body in answers] == [content, content[400:], b""]
    assert answers[1][1]["Content-Range"] == "bytes 400-999/1000"


def test_pushes_are_recorded_and_can_be_made_to_fail(account: Emulator, layout: oci.Layout, tmp_path: Path) -> None:
    """A copy has the pushed layers, and keeps them when the original ends."""
    lab = Lab(account.endpoint)
    lab.client("ecr").create_repository(repositoryName="tool")
    account.fail("PutImage", service="ecr", status=429)
    push(lab, f"oci:{layout.place}:amd64", "tool:1.0", flags="--retry-times 0", fails=True)
    account.heal()
    push(lab, f"oci:{layout.place}:amd64", "tool:1.0")
    actions = [call.action for call in account.calls("ecr")]
    assert {action.rpartition(":")[2] for action in PUSH} <= set(actions)
    with account.copy() as copy:
        account.stop()
        pull(Lab(copy.endpoint), "tool:1.0", f"oci:{tmp_path}/back:1.0")
