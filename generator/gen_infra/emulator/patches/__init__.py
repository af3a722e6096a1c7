"""Where moto differs from AWS."""

from __future__ import annotations


def apply_all(endpoint: str) -> None:
    """Mend every difference."""
    import moto.core.config as c
    c.default_user_config["batch"]["use_docker"] = False
    c.default_user_config["lambda"]["use_docker"] = False
