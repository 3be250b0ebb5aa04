"""Heights of SciPy's trees of points with many equal distances, and of points that stand there several times -> ties.json (SciPy 1.17.1)."""
import json

import numpy as np
from scipy.cluster.hierarchy import linkage

random = np.random.default_rng(7)
repeated = random.integers(0, 4, (120, 2)).astype(float)
sets = {
    "grid": np.array([[i, j] for i in range(9) for j in range(8)], float),
    "tenths": np.array([[i / 10, j / 10] for i in range(8) for j in range(7)]),
    "repeated": repeated,
    "repeated, standardized": (repeated - repeated.mean(0)) / repeated.std(0),
    "three columns": random.integers(0, 3, (90, 3)).astype(float),
}
json.dump(
    [
        {"name": name, "columns": x.T.tolist(), "heights": {m: linkage(x, m)[:, 2].tolist() for m in ("ward", "average", "complete", "single")}}
        for name, x in sets.items()
    ],
    open("ties.json", "w"),
)
