"""Name the tags that every resource, image or job of an environment has, for those who read and those who set them."""

from __future__ import annotations

ENVIRONMENT_TAG = "gen-infra:environment"
SUBMITTER_TAG = "gen-infra:submitted-by"
# Of all that costs, with the environment's name: instances and volumes have it too, which have no ENVIRONMENT_TAG.
COST_TAG = "gen-infra:cost"
