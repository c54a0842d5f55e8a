"""The online service."""

import os

# Before anything imports numpy: its threads wait for each other by spinning, and where
# other work has the cores a search took ten times as long as with one. What is large
# enough is divided among threads of our own (service.core.vectors).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
