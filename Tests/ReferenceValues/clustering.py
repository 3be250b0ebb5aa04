"""Writes clustering.json: linkages by SciPy, indices and mixtures by scikit-learn, on small sets of points.

Run: python3 clustering.py   (needs numpy, scipy, scikit-learn)
"""
import json, os
import numpy as np
from scipy.cluster.hierarchy import linkage, fcluster
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score, adjusted_rand_score
from sklearn.mixture import GaussianMixture

rng = np.random.default_rng(11)
blobs = np.concatenate([rng.normal(c, s, (m, 3)) for c, s, m in
                        [((0, 0, 0), .6, 40), ((4, 1, 0), 1.0, 60), ((0, 5, 2), .4, 30), ((6, 6, -3), 1.4, 30)]])
line = np.sort(rng.exponential(3, 60))[:, None]
repeated = np.repeat(rng.normal(0, 1, (25, 2)), rng.integers(1, 5, 25), axis=0)
wide = rng.normal(0, 1, (70, 6)) * [1, 2, 3, .1, 1, 10]
out = {"sets": []}
for name, X in [("blobs", blobs), ("line", line), ("repeated", repeated), ("wide", wide)]:
    X = np.round(X, 6)
    one = {"name": name, "columns": X.T.tolist(), "linkage": {}, "kmeans": [], "mixture": []}
    for method in ["single", "complete", "average", "ward"]:
        Z = linkage(X, method)
        one["linkage"][method] = {"heights": Z[:, 2].tolist(), "sizes": sorted(Z[:, 3].astype(int).tolist()),
                                  "cut4": (fcluster(Z, 4, "maxclust") - 1).tolist()}
    for k in range(2, 7):
        m = KMeans(k, n_init=50, random_state=1, tol=0, max_iter=1000).fit(X)
        one["kmeans"].append({"k": k, "inertia": m.inertia_, "labels": m.labels_.tolist(),
                              "silhouette": silhouette_score(X, m.labels_), "davies_bouldin": davies_bouldin_score(X, m.labels_),
                              "calinski_harabasz": calinski_harabasz_score(X, m.labels_)})
    if name == "blobs":
        for k in range(1, 6):
            g = GaussianMixture(k, n_init=20, tol=1e-9, max_iter=5000, random_state=1).fit(X)
            one["mixture"].append({"k": k, "bic": g.bic(X), "log_likelihood": g.score(X) * len(X)})
    out["sets"].append(one)
a, b = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
b[:25] = a[:25] % 3
out["adjusted_rand"] = {"a": a.tolist(), "b": b.tolist(), "value": adjusted_rand_score(a, b)}
json.dump(out, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "clustering.json"), "w"))
