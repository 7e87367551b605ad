"""Before anything is imported: one thread for each numerical library, since two cores are shared."""

import os
import sys
from collections.abc import Iterator

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

import step_graphs  # noqa: E402

torch.set_num_threads(1)
# A busy machine makes single examples slow: time is not what these tests are about.
settings.register_profile("segue", deadline=None, max_examples=60)
settings.load_profile("segue")


@pytest.fixture(scope="session", autouse=True)
def _the_exporter_is_asked_seldom_and_without_coverage() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segue.models.export.graph_of", step_graphs.graph_of)
        patch.setattr("torch.onnx.export", step_graphs.untraced(torch.onnx.export))
        yield


@pytest.fixture
def own_parts_go() -> Iterator[None]:
    """What a test makes known by a file of its own is forgotten after it."""
    from segue.cells import CELLS
    from segue.metrics import METRICS
    from segue.ranking.diversity import STRATEGIES
    from segue.training.losses import LOSSES

    kept = [(known, dict(known)) for known in (CELLS, METRICS, LOSSES, STRATEGIES)]
    yield
    for known, before in kept:
        known.clear()
        known.update(before)  # type: ignore[arg-type]
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]
