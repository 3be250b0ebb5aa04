"""What others take for the same points: k-means of scikit-learn, Ward of fastcluster. clusters.py k-means|ward FILE [N]"""
import json, resource, sys, time

import numpy as np


def points(path, limit):
    columns = np.fromfile(path, dtype=np.float64).reshape(3, -1)
    n = columns.shape[1]
    if limit and limit < n:
        columns = columns[:, np.arange(limit) * (n - 1) // (limit - 1)]
    return np.ascontiguousarray(columns.T)


job, path = sys.argv[1], sys.argv[2]
x = points(path, int(sys.argv[3]) if len(sys.argv) > 3 else None)
told = {"job": job, "points": len(x)}
if job == "k-means":
    from sklearn.cluster import KMeans

    start = time.process_time()
    fit = KMeans(8, n_init=1, random_state=42).fit(x)
    told.update(tool="scikit-learn", inertia=float(fit.inertia_), passes=int(fit.n_iter_))
else:
    import fastcluster

    start = time.process_time()
    heights = fastcluster.linkage_vector(x, "ward")[:, 2]
    told.update(tool="fastcluster", sum_heights=float(heights.sum()), last_height=float(heights[-1]))
told.update(cpu_s=round(time.process_time() - start, 3), peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(json.dumps(told))
