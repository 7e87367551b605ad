"""What a training runs on: which device, how many threads, and products of which precision."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from segue.config import TrainSettings
from segue.errors import ConfigError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

WORTH = 1.3
"""How many times as fast products in bfloat16 must be to be taken: they cost conversions and some accuracy."""

REPEATS = 20
"""Of each of the two products that are measured; 20 ms together."""


class Hardware(NamedTuple):
    """A device, the threads that share the work, and the precision of products (see `cells.dense`)."""

    device: torch.device
    threads: int
    precision: str


def hardware_of(settings: TrainSettings) -> Hardware:
    """What the settings ask for; `auto` takes a GPU if there is one, and the precision that is faster here.

    Raises:
        ConfigError: the device is unknown or not there.
    """
    device = device_of(settings.device)
    threads = 1 if device.type != "cpu" else settings.threads or torch.get_num_threads()
    precision: str = settings.precision
    if precision == "auto":
        precision = faster_precision() if device.type == "cpu" else "bfloat16"
    return Hardware(device, threads, precision)


def device_of(name: str) -> torch.device:
    """The device of that name. Raises ConfigError if it is unknown or not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"train.device is `{name}`; expected auto, cpu, cuda or cuda:0") from None
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"train.device is `{name}`; expected auto, cpu, cuda or cuda:0")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"train.device is `{name}`, and PyTorch finds no such GPU here: use auto or cpu")
    return device


def faster_precision() -> str:
    """`bfloat16` where a product of it is measured to be clearly faster than one of float32, else `float32`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a training has it: each thread does products of its own
    try:
        full = half = float("inf")
        for turn in range(REPEATS):  # in turns, and the shortest of many: what else the machine does must not decide
            full = min(full, product_seconds(torch.float32))
            half = min(half, product_seconds(torch.bfloat16))
            if turn and half > 2 * full:  # where it is emulated it takes long
                break
    finally:
        torch.set_num_threads(threads)
    return "bfloat16" if full > WORTH * half else "float32"


def product_seconds(dtype: torch.dtype) -> float:
    """The time of a product as large as those of a window: smaller ones are mostly the call."""
    a, b = (torch.ones(shape, dtype=dtype) for shape in ((512, 128), (128, 1024)))
    return seconds(lambda: torch.mm(a, b))


def seconds(work: Callable[[], Tensor]) -> float:
    """How long some work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
