"""What others take for the same points: k-means of scikit-learn, whole and in mini-batches, Ward of fastcluster. clusters.py k-means|mini-batch|ward FILE [N]
clusters.py agreement FILE N LABELS: fastcluster's exact tree of N points cut into 8 and 4, beside labels that cluster-benchmark cut wrote."""
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
elif job == "mini-batch":
    from sklearn.cluster import MiniBatchKMeans

    start = time.process_time()
    fit = MiniBatchKMeans(8, batch_size=1024, n_init=3, random_state=1).fit(x)
    told.update(tool="scikit-learn", inertia=float(fit.inertia_), batches=int(fit.n_steps_))
elif job == "agreement":
    import fastcluster
    from scipy.cluster.hierarchy import fcluster
    from sklearn.metrics import adjusted_rand_score

    start = time.process_time()
    tree = fastcluster.linkage_vector(x, "ward")
    told["tool"] = "millrace beside fastcluster"
    for k, own in zip((8, 4), np.fromfile(sys.argv[4], dtype=np.int32).reshape(2, -1)):
        told[f"adjusted_rand_{k}"] = float(adjusted_rand_score(fcluster(tree, k, "maxclust"), own))
else:
    import fastcluster

    start = time.process_time()
    heights = fastcluster.linkage_vector(x, "ward")[:, 2]
    told.update(tool="fastcluster", sum_heights=float(heights.sum()), last_height=float(heights[-1]))
told.update(cpu_s=round(time.process_time() - start, 3), peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(json.dumps(told))
