"""Conditions on the lifecycle rules of S3 buckets and ECR repositories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_ACTIONS = (
    *("Expiration", "Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions"),
    "AbortIncompleteMultipartUpload",
)


def has_unique_ids(rules: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether no two rules of a bucket have the same ID."""
    ids = [each["ID"] for each in rules if each.get("ID")]
    return len(set(ids)) == len(ids)


def has_actions(rules: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether each rule of a bucket does something."""
    return all(any(each.get(action) for action in _ACTIONS) for each in rules)


def has_positive_days(rules: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether objects of a bucket expire after a day at the earliest."""
    days = [(each.get("Expiration") or {}).get("Days") for each in rules]
    return all(each is None or int(each) > 0 for each in days)


def has_unique_priorities(text: str) -> bool:
    """Return whether no two rules of a repository have the same priority."""
    priorities = [each.get("rulePriority") for each in _rules(text)]
    return len(set(priorities)) == len(priorities)


def has_any_last(text: str) -> bool:
    """Return whether a rule for images with any tag comes after all others of a repository."""
    rules = _rules(text)
    highest = max((each.get("rulePriority", 0) for each in rules), default=0)
    return all(each.get("rulePriority") == highest for each in rules if _selection(each).get("tagStatus") == "any")


def has_tags_of_tagged(text: str) -> bool:
    """Return whether each rule of a repository for tagged images says which tags."""
    return all(
        bool(_selection(each).get("tagPrefixList")) != bool(_selection(each).get("tagPatternList"))
        for each in _rules(text)
        if _selection(each).get("tagStatus") == "tagged"
    )


def _rules(text: str) -> list[Mapping[str, Any]]:
    """Return the rules of a repository's policy; none of a text that is not one, which moto refuses."""
    try:
        found = json.loads(text)["rules"]
    except (KeyError, TypeError, ValueError):
        return []
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _selection(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    selection = rule.get("selection")
    return selection if isinstance(selection, Mapping) else {}
