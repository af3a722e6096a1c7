"""What an environment costs, estimated from its manifest by list prices; what no list has is unknown, and said to be.

Functions of the manifest are pure: :func:`estimate` and :func:`compare`. What jobs have cost is read from AWS Batch's
history (:mod:`.history`) or from Cost Explorer (:mod:`.explorer`).
"""

from gen_infra.cost.amounts import UNKNOWN, Total, UsdRange, shown
from gen_infra.cost.comparison import CostChange, compare
from gen_infra.cost.estimate import CostEstimate, estimate

__all__ = ["UNKNOWN", "CostChange", "CostEstimate", "Total", "UsdRange", "compare", "estimate", "shown"]
