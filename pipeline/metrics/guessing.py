"""The label guessed from a few named values."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pipeline.metrics.ranking import Score, Target


def guess(known: NDArray[np.object_], target: Target, asked: NDArray[np.object_]) -> Score:
    """Probability of malignancy of ``asked``, (M,), by logistic regression on the values of ``known``.

    Args:
        known: (N, K) names, an empty one being a name too; one that is not here says nothing later.
        target: (N,) of 0 and 1.
        asked: (M, K).
    """
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000))
    model.fit(known, target)
    return np.asarray(model.predict_proba(asked)[:, 1])
