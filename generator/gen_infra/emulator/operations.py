"""Find out which API operation a request calls: boto3's name of the service, and AWS's name of the operation.

All protocols except REST name the operation in the request (https://smithy.io/2.0/aws/protocols/index.html). REST
encodes it in method, path and query, as the service's model in botocore describes:
https://smithy.io/2.0/spec/http-bindings.html.
"""

from __future__ import annotations

import functools
import io
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from gen_infra.emulator.distribution.requests import registry_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

    from botocore.loaders import Loader

LONGEST_BODY = 8 * 1024 * 1024  # bytes, above any service's limit; a longer body is a zip file, an object or a layer
CONTROLS = ("/gen-infra/", "/moto-api")  # the emulator's and moto's own API, whose requests are not signed
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", re.ASCII)
_CBOR_PATH = re.compile(r"/service/[^/]+/operation/([^/]+)")
_FORM = "application/x-www-form-urlencoded"
_KEY = "gen_infra.operation"  # in the WSGI environment
# Signing names that differ from boto3's names of the services.
SIGNING_NAMES = {
    "cloudwatch": "monitoring",
    "efs": "elasticfilesystem",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tagging",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
_UNSIGNED = {"AssumeRoleWithWebIdentity": "sts"}  # calls of those who have no access key yet, and their service
_FORM_UPLOAD = "PostObject"  # of S3, for browsers; the only operation that its model does not have
_BOTO3_NAMES = {signing: boto3 for boto3, signing in SIGNING_NAMES.items()}


@dataclass(frozen=True)
class Operation:
    """The operation that a request calls.

    Args:
        service: boto3's name of the service; ``s3`` in an unsigned request that names no operation; else empty
            in an unsigned one, unless it need not be signed.
        action: such as ``UpdateJobQueue``; empty if the model has no such method and path.
        protocol: ``json``, ``cbor``, ``query``, ``ec2``, ``rest-json`` or ``rest-xml``; ``registry`` for ECR's.
        parameters: as they were sent: JSON, form fields, or parts of path and query.
        region: the region that the request is signed for.
        access_key: the id of the access key that signed it.
    """

    service: str
    action: str
    protocol: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    access_key: str = ""


def read_operation(environ: WSGIEnvironment) -> Operation:
    """Read the operation from a request, once; its body can be read again."""
    if _KEY not in environ:
        environ[_KEY] = _read(environ)
    found: Operation = environ[_KEY]
    return found


def _read(environ: WSGIEnvironment) -> Operation:
    if request := registry_request(environ):
        region, access_key = (request.token.region, request.token.access_key) if request.token else ("", "")
        return Operation("ecr", request.action, "registry", request.parameters, region, access_key)
    access_key, region, scope = _signature(environ)
    service = _BOTO3_NAMES.get(scope, scope)
    named = _named(environ, service)
    action, protocol, parameters = named or _modelled(environ, service)
    if action in _UNSIGNED and not service:
        service, region = _UNSIGNED[action], "us-east-1"
    elif not service and not named and not environ["PATH_INFO"].startswith(CONTROLS):
        service, region, action = "s3", "us-east-1", action or _FORM_UPLOAD
    return Operation(service, action, protocol, parameters, region, access_key)


def _signature(environ: WSGIEnvironment) -> tuple[str, str, str]:
    """Return the access key, region and signing name of a request, also of a presigned URL; empty if it is unsigned.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html and RESTAuthentication.html (version 2)
    """
    query = environ.get("QUERY_STRING", "")
    for text in (environ.get("HTTP_AUTHORIZATION", ""), unquote(query)):
        if signed := _CREDENTIAL.search(text):
            return signed[1], signed[2], signed[3]
    parameters = dict(parse_qsl(query))
    return (parameters["AWSAccessKeyId"], "us-east-1", "s3") if "AWSAccessKeyId" in parameters else ("", "", "")


def _named(environ: WSGIEnvironment, service: str) -> tuple[str, str, Mapping[str, Any]] | None:
    """Read operation, protocol and parameters of a request that names its operation."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2], "json", _json(body_of(environ))
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor" and (found := _CBOR_PATH.fullmatch(environ["PATH_INFO"])):
        return found[1], "cbor", {}
    form = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if environ.get("CONTENT_TYPE", "").startswith(_FORM):
        form |= parse_qsl(body_of(environ).decode(errors="replace"), keep_blank_values=True)
    if action := form.pop("Action", ""):
        return action, "ec2" if service == "ec2" else "query", form
    return None


def _modelled(environ: WSGIEnvironment, service: str) -> tuple[str, str, Mapping[str, Any]]:
    """Read operation, protocol and parameters of a REST request."""
    protocol, routes = _routes(service)
    uri, _, _ = str(environ.get("RAW_URI", environ["PATH_INFO"])).partition("?")
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    for route in routes:
        if (found := route.path.fullmatch(uri)) and route.fits(environ, query):
            in_path = dict(zip(route.names, map(unquote, found.groups()), strict=True))
            body = _json(body_of(environ)) if protocol == "rest-json" else {}
            return route.action, protocol, {**body, **query, **in_path}
    return "", protocol, query


class _Route(NamedTuple):
    """How a REST request calls an operation."""

    action: str
    method: str
    path: re.Pattern[str]
    names: tuple[str, ...]
    literal: Mapping[str, str]
    required: frozenset[str]
    headers: frozenset[str]

    def fits(self, environ: WSGIEnvironment, query: Mapping[str, str]) -> bool:
        """Return whether method, query and headers match; the path is matched by the caller."""
        return (
            environ["REQUEST_METHOD"] == self.method
            and all(query.get(key) == value for key, value in self.literal.items())
            and self.required <= query.keys()
            and all(header in environ for header in self.headers)
        )

    @property
    def requirements(self) -> int:
        """Count the requirements: of several matching routes, the one with the most is right."""
        return len(self.literal) + len(self.required) + len(self.headers)


@functools.cache
def models() -> Loader:
    """Return the loader of botocore's service models; it keeps the list of services, which takes 10 ms to make."""
    from botocore.loaders import create_loader

    return create_loader()


@functools.cache
def _routes(service: str) -> tuple[str, tuple[_Route, ...]]:
    """Return the protocol of a REST service and its routes, those with the most requirements first."""
    from botocore.exceptions import UnknownServiceError

    try:
        model = models().load_service_model(service or "s3", "service-2")
    except UnknownServiceError:
        return "rest-json", ()
    current = {name: each for name, each in model["operations"].items() if not each.get("deprecated")}
    routes = [_route(name, each, model["shapes"]) for name, each in current.items()]
    return model["metadata"]["protocol"], tuple(sorted(routes, key=lambda route: -route.requirements))


def _route(action: str, operation: Mapping[str, Any], shapes: Mapping[str, Any]) -> _Route:
    path, _, query = operation["http"]["requestUri"].partition("?")
    names = tuple(name.rstrip("+") for name in re.findall(r"\{([^}]+)\}", path))
    parts = (_pattern(part) for part in re.split(r"(\{[^}]+\})", path.rstrip("/")))
    shape = shapes[operation["input"]["shape"]] if "input" in operation else {}
    members = [shape["members"][name] | {"name": name} for name in shape.get("required", [])]
    places = [(member.get("location"), member.get("locationName", member["name"])) for member in members]
    return _Route(
        action,
        operation["http"]["method"],
        re.compile("".join(parts) + "/?"),
        names,
        dict(parse_qsl(query, keep_blank_values=True)),
        frozenset(name for location, name in places if location == "querystring"),
        frozenset(f"HTTP_{name.upper().replace('-', '_')}" for location, name in places if location == "header"),
    )


def _pattern(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return "(.+)" if part.endswith("+}") else "([^/]+)"


def body_of(environ: WSGIEnvironment) -> bytes:
    """Read the request's body if it is short; it can be read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= LONGEST_BODY:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
