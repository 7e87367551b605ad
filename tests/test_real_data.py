"""Published figures, where the data is: it may not all be shipped, so it lies beside the repository."""

from pathlib import Path

import pytest

from segue.data.log import read_log
from segue.data.splits import TEST, VALID, by_column
from segue.evaluation.judge import rank_values
from segue.evaluation.phase import phase_of
from segue.evaluation.replay import replay
from segue.models.base import SessionRule
from segue.models.build import kind_of

DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.mark.skipif(not (DATA / "serenade-shop").exists(), reason="serenade-shop is not beside the repository")
def test_session_neighbours_reach_the_figure_of_their_authors() -> None:
    log = read_log(str(DATA / "serenade-shop" / "interactions.parquet"))
    split = by_column(log)
    assert any("11 training and 1451 validation events fall after" in note for note in split.notes)
    rule = SessionRule(gap=None, at_session_start="reset")
    phase = phase_of(log, split, rule, ask=TEST, learn_below=VALID)
    model = kind_of("sknn")(len(phase.catalog), rule=rule, sessions=500, neighbours=100, clicks=2).fit(phase.learned)
    found = replay(model, phase.replayed, phase.asked, exclude="current")
    assert len(found.rank) == 931
    assert rank_values("recall@20", found).mean() == pytest.approx(0.6402, abs=0.02)
    assert rank_values("mrr@20", found).mean() == pytest.approx(0.3277, abs=0.02)
