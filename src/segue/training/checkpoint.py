"""A training that was killed goes on where it was: one file, replaced as a whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from segue.errors import TrainingError

FILE = "checkpoint.safetensors"


class Checkpoints:
    """Where a training keeps its last safe point.

    Args:
        folder: created when the first one is written.
        fingerprint: what identifies log and settings; a checkpoint of another training is refused.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint

    @property
    def file(self) -> Path:
        """The file of the last safe point."""
        return self.folder / FILE

    def write(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Replace the last safe point. Raises TrainingError, leaving the old one, if the disk does not take it."""
        text = msgspec.json.encode({"fingerprint": self.fingerprint, **facts}).decode()
        partial = self.file.with_suffix(".partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Written by its name and not as one text of bytes: that would be the tensors a second time in memory.
            save_file({k: t.contiguous() for k, t in tensors.items()}, partial, {"facts": text})
            with open(partial, "rb") as handle:
                os.fsync(handle.fileno())
            os.replace(partial, self.file)
        except (OSError, SafetensorError) as error:
            kept = "the checkpoint before it is kept" if self.file.exists() else "there is none before it"
            said = error.strerror if isinstance(error, OSError) else str(error)
            raise TrainingError(
                f"{self.file}: a checkpoint could not be written ({said}); {kept}. "
                "Make room or choose another --out, then repeat the command with --resume"
            ) from None
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise TrainingError, before hours of training, where no checkpoint could be written."""
        probe = self.file.with_suffix(".partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
            if not any(self.folder.iterdir()):  # an empty one would look like an unfinished training
                self.folder.rmdir()
        except OSError as error:
            raise TrainingError(
                f"{self.folder}: no checkpoint can be kept there ({error.strerror}); choose an --out whose folder "
                "can be written to"
            ) from None

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The last safe point, or None. Raises TrainingError if it is damaged or belongs to another training."""
        if not self.file.exists():
            return None
        try:
            with safe_open(self.file, "pt") as handle:
                facts = msgspec.json.decode(handle.metadata()["facts"])
                tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, msgspec.DecodeError, OSError) as error:
            raise TrainingError(f"{self.file}: the checkpoint is damaged ({error}); delete it and start anew") from None
        if facts["fingerprint"] != self.fingerprint:
            raise TrainingError(
                f"{self.file}: the checkpoint belongs to another log or other settings; "
                "repeat the command that began it, or start anew without --resume"
            )
        return tensors, facts


def remove_checkpoints(folder: Path) -> None:
    """Forget the checkpoints of all stages, after the training is done and saved, or to start anew."""
    for stage in folder.iterdir() if folder.exists() else ():
        for file in (stage / FILE, (stage / FILE).with_suffix(".partial")):
            file.unlink(missing_ok=True)
        if stage.is_dir() and not any(stage.iterdir()):
            stage.rmdir()
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()


def packed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under a common prefix."""
    return {f"{prefix}/{name}": tensor.detach() for name, tensor in tensors.items()}


def unpacked(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {
        name.removeprefix(f"{prefix}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser remembers of each parameter, as named tensors."""
    return {
        f"{place}.{name}": torch.as_tensor(value)
        for place, kept in optimizer.state_dict()["state"].items()
        for name, value in kept.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Take over what `optimizer_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        place, name = key.split(".", 1)
        state.setdefault(int(place), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def rng_states(device: torch.device) -> dict[str, Tensor]:
    """Where PyTorch's generators stand, of the processor and of the device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_rng_states(states: dict[str, Tensor], device: torch.device) -> None:
    """Put the generators where `rng_states` found them."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
