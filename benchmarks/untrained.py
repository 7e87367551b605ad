"""Models to serve whose weights nobody trained: what they have learned costs nothing. Made once, into `.serving`."""

import shutil
import sys
import time
from pathlib import Path

import torch

from segue.artifact import Artifact, Facts, save_artifact
from segue.choices import settings_of
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.models.base import SessionRule
from segue.models.network import Network

HERE = Path(__file__).parent / ".serving"
WIDTH, CLUSTERS = 128, 1000


def model_of(n_items: int, cell: str = "gru") -> Path:
    """The folder of a network over so many items, with all that a save makes (the step, the index)."""
    folder = HERE / f"{cell}-{n_items}"
    if (folder / "segue.json").exists():
        return folder
    begun = time.monotonic()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    rule = SessionRule(1800.0, "reset")
    network = Network(n_items, rule=rule, width=WIDTH, cell=cell).eval()
    network.settle()
    facts = Facts(
        name=cell,
        kind="network",
        n_items=n_items,
        settings=network.settings(),
        gap=rule.gap,
        at_session_start=rule.at_session_start,
        exclude="current",
        timed=True,
        split="time",
        cutoff=None,
        trained_on="",
        events=0,
        trained_at="",
        baselines={},
    )
    catalog = Catalog(Ids.of(f"item {n}" for n in range(n_items)), {})
    artifact = Artifact(model=network, catalog=catalog, settings=settings_of({}), facts=facts, metrics={}, card="")
    partial = folder.with_name(f".{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    HERE.mkdir(exist_ok=True)
    save_artifact(artifact, partial, say=lambda line: print(line, file=sys.stderr))
    partial.rename(folder)
    print(f"{folder.name} made in {time.monotonic() - begun:.0f} s: {sorted(f.name for f in folder.iterdir())}")
    return folder
