"""Small trained models as folders, and one damaged so that its hashes say nothing; the tests of versions share them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import safetensors.numpy

from segue.artifact import MANIFEST, Artifact, save_artifact
from segue.choices import settings_of
from segue.data.synthetic import noisy_chain
from segue.training.networks import Workshop
from segue.training.plan import plan_of
from segue.training.run import train_artifact

SETTINGS: dict[str, Any] = {
    "model": {"width": 8},
    "train": {"epochs": 1, "threads": 1},
    "evaluate": {"replicates": 100},
}


@cache
def trained(name: str, items: int = 12, seed: int = 1) -> Artifact:
    """A model of a small log; another number of items or seed is another version."""
    plan = plan_of(noisy_chain(40, 20, items, follow=0.8, seed=seed), SETTINGS)
    shop = Workshop(settings_of(SETTINGS), say=lambda _: None, show=lambda *_: None)
    return train_artifact(plan, name, shop)[0]


def saved(folder: Path, name: str = "markov", items: int = 12, seed: int = 1) -> Path:
    save_artifact(trained(name, items, seed), folder)
    return folder


def with_weights(folder: Path, change: Any) -> None:
    """Change the weights of a saved model, and its hashes with them."""
    file = folder / "model.safetensors"
    arrays = {name: np.array(array) for name, array in safetensors.numpy.load(file.read_bytes()).items()}
    change(arrays)
    file.write_bytes(safetensors.numpy.save(arrays))
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    manifest["files"][file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
