"""Prints, as JSON, the rows in the order in which cleanlab suspects their labels; pip install cleanlab.

As CleanLearning does it when nothing is set: probabilities from a logistic regression in five folds, which keep the
groups whole; the rows that find_label_issues names, and all rows by get_label_quality_scores, the worst first.
"""

import json
import sys
import time
import warnings

import cleanlab
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

warnings.filterwarnings("ignore")
asked = json.load(sys.stdin)
features = csr_matrix((asked["values"], asked["features"], asked["starts"]), shape=(len(asked["labels"]), asked["size"]))
labels = np.array(asked["labels"])
started = time.process_time()
probabilities = cross_val_predict(
    LogisticRegression(),
    features,
    labels,
    groups=np.array(asked["groups"]),
    cv=StratifiedGroupKFold(5),
    method="predict_proba",
)
issues = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence")
order = np.argsort(get_label_quality_scores(labels, probabilities), kind="stable")
print(
    json.dumps(
        {
            "version": cleanlab.__version__,
            "seconds": time.process_time() - started,
            "issues": issues.tolist(),
            "order": order.tolist(),
        }
    )
)
