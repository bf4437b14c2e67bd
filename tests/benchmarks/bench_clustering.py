"""Measures clustering by average linkage against distances from SciPy: `python -m tests.benchmarks.bench_clustering`.

5,000 vectors of 384 numbers around 60 planted topics are clustered in both ways alternately, because absolute numbers
drift. Processor seconds are measured, because other programs may be running; set OPENBLAS_NUM_THREADS=1 for one thread.
"""

import statistics
import time
from unittest import mock

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from diffing.methods.llm.clustering import partition
from tests.benchmarks.speed import row, store

ROUNDS = 3


def by_pdist(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The distances as SciPy computes them."""
    return np.asarray(pdist(vectors, "sqeuclidean") / 2)


def main() -> None:
    random = np.random.default_rng(0)
    topics = random.normal(size=(60, 384))
    vectors = topics[random.integers(0, 60, 5000)] + 1.3 * random.normal(size=(5000, 384))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    seconds: dict[str, list[float]] = {"ours": [], "scipy": []}
    labels = {}
    for _ in range(ROUNDS):
        for name, distances in (("ours", partition.half_squared_distances), ("scipy", by_pdist)):
            with mock.patch.object(partition, "half_squared_distances", distances):
                start = time.process_time()
                labels[name] = partition.cluster_vectors(vectors, way="average")
                seconds[name].append(time.process_time() - start)
    same = int((labels["ours"] == labels["scipy"]).sum())
    before, now = (statistics.median(seconds[name]) for name in ("scipy", "ours"))
    rows = [row("clustering 5,000 vectors of 384 numbers", now, "processor s", "0.6", round(before, 2))]
    about = f"Before: distances from SciPy. {same:,} of 5,000 labels are the same."
    store("clustering", "Clustering by average linkage", about, rows, {"rounds": ROUNDS})


if __name__ == "__main__":
    main()
