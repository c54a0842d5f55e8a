"""Identification: right, and how fast among a million.

    python -m bench.identify models/fused --data celeba300 --leave-out ...
    python -m bench.identify models/fused --data celeba300 --time --references 1000000

Real faces are enrolled beside synthetic ones (distractors), which are drawn with the mean
and the covariance of the real ones' embeddings, at unit length. The first form compares
the candidates of the index with a look at every score, and counts false positive and false
negative identifications. The second fills a store of the service's own (SQLite, sealed)
and measures the index that is read from it. Embeddings are kept beside the data set's
folder name in --keep, so that a second run need not make them again.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from bench.identify.errors import rates
from bench.identify.people import people_of
from bench.identify.times import times
from model.artifact import read_artifact
from model.errors import SemblanceError
from training.data.errors import DataError
from training.runtimes import load_runtime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/fused"))
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--leave-out", default="", help="identities known to be wrongly named")
    parser.add_argument("--keep", type=Path, help="a file .npz of the real embeddings")
    parser.add_argument("--time", action="store_true", help="memory and time, instead of errors")
    parser.add_argument("--references", type=int, default=1_000_000)
    parser.add_argument("--distractors", default="0,10000,100000")
    parser.add_argument("--ways", default="exact,approximate")
    parser.add_argument("--probes", type=int, default=300)
    options = parser.parse_args()
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        # As the service is run; numpy has read it already.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "bench.identify", *sys.argv[1:]])
    try:
        model = load_runtime(read_artifact(options.artifact), "openvino")
        people = people_of(options, model)
        print(f"load {os.getloadavg()[0]:.1f}")
        if options.time:
            print(times(model, people, options))
        else:
            sizes = [int(size) for size in options.distractors.split(",")]
            print(rates(model, people, options.probes, sizes))
    except (DataError, SemblanceError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
