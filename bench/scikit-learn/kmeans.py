"""The scikit-learn side of kmeans.mjs. Usage: python3 kmeans.py <file> <classes> <points> <dimension> <clusters> <threads>"""
import json
import os
import sys
import time
import warnings

classes, points, dimension, clusters, threads = map(int, sys.argv[2:])
for library in ("OMP", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = str(threads)
warnings.filterwarnings("ignore")  # that another version has another default of n_init

import numpy  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402

features = numpy.fromfile(sys.argv[1], numpy.float32).reshape(classes, points, dimension)
KMeans(clusters).fit(features[0])
started = time.perf_counter()
inertia = sum(float(KMeans(clusters).fit(rows).inertia_) for rows in features)
seconds = time.perf_counter() - started
print(json.dumps({"pointsPerSecond": classes * points / seconds, "inertia": inertia}))
