"""Fits a logistic regression that tells model A's response from model B's by the difference of their term weights.

That a pair is shown in random order changes nothing here: without an intercept, a pair weighs the same in either order.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_STEPS = 1_000
"""The largest number of steps of a fit."""
PRECISION = 1e-8
"""A fit ends when no part of the gradient of the mean loss is larger."""
_Floats = npt.NDArray[np.float64]


def fit_preference(differences: "csr_array", strength: float) -> _Floats:
    """Fits the weights under which the first side scores higher than the second.

    It minimises |weights|^2 / 2 + strength * sum over pairs of ln(1 + exp(-score)). If the sides are exchanged in all
    pairs, the weights are the same with the opposite sign, exactly.

    Args:
        differences: The features of the first side less those of the second; shape (pairs, features).
        strength: The inverse strength of regularisation.

    Returns:
        The weights; shape (features,). The score of a pair is its differences times the weights.
    """
    from scipy.optimize import minimize

    pairs, features = differences.shape
    if not pairs or not features:
        return np.zeros(features)

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        """The mean loss of a pair with its part of the penalty, and the gradient."""
        scores = differences @ weights
        penalty = weights / (strength * pairs)
        wrong = np.exp(-np.logaddexp(0.0, scores))  # the probability of the wrong side
        gradient: _Floats = penalty - differences.T @ (wrong / pairs)
        return float(np.logaddexp(0.0, -scores).mean() + weights @ penalty / 2), gradient

    found: _Floats = minimize(
        loss,
        np.zeros(features),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MOST_STEPS, "gtol": PRECISION, "ftol": 0.0},
    ).x
    return found
