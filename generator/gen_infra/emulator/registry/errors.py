"""Errors that ECR answers with."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class EcrError(ServiceException):
    """An error that moto has no class for: a code of ECR's API, such as ``LayersNotFoundException``, and a message."""
