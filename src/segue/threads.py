"""Idle OpenMP threads must sleep, not spin: set before PyTorch is imported, unless the user has.

Two PyTorch threads beside a busy core took 8,473 ms for a GRU pass that one thread did in 26 ms; with these
two variables it took 34 ms. The OpenMP runtime reads them once, when it is loaded.
"""

import os

SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


def prepare() -> None:
    """Put the defaults into the environment where the user has not set them."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
