"""`python -m training`: build, fit-head, calibrate, evaluate."""

from __future__ import annotations

import os

# Before TensorFlow is imported by anything below: its notices are no news here.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from training.cli import main

if __name__ == "__main__":
    main()
