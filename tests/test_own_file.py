"""Metrics, losses and cells of one's own come in by a file that is named, and by no other way."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import segue
from api_log import FLAGS, QUICK, clicks, write_shop
from segue.errors import ConfigError, EvaluationError
from segue.metrics import METRICS, parse
from segue.metrics.probe import made_up, try_out
from segue.own import import_file
from segue.training.losses import LOSSES, Outputs
from segue.training.losses.trying import made_up as made_up_rows
from small_shop import Ran

pytestmark = pytest.mark.usefixtures("own_parts_go")

PAGE = (Path(__file__).parents[1] / "docs" / "measuring.md").read_text("utf-8")
OURS = re.findall(r'```python title="ours.py"\n(.*?)```', PAGE, re.S)[0]

ALL_KINDS = """
import numpy as np
from segue.metrics import basket_metric, catalog_metric, list_metric, needs, rank_metric, target_metric, weighted

@rank_metric
@weighted
def half(ranks, k):
    return np.where(ranks <= k, 0.5, 0.0)

@list_metric
def length(lists):
    return lists.filled.sum(axis=1)

@target_metric
@needs("categories")
def found(lists):
    return (lists.items == lists.target[:, None]).any(axis=1)

@basket_metric
def size(lists):
    return lists.basket.ends - lists.basket.begins

@catalog_metric
def widest(lists):
    return int(lists.exposures().max())
"""


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def forget() -> None:
    """As a new process would know nothing of the file."""
    for name in ("screens", "long_tail"):
        METRICS.pop(name, None)
    LOSSES.pop("focal", None)
    import sys

    sys.modules.pop("own_ours", None)


def test_the_file_of_the_page_trains_chooses_and_evaluates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_shop(tmp_path)
    ours, log, model = written(tmp_path, OURS, "ours.py"), tmp_path / "clicks.csv", tmp_path / "model"
    wanted = ["--set", "train.loss=focal", "--set", "train.metric=screens@12", "--metrics", "long_tail@12"]
    Ran(capsys, "train", log, "--out", model, *FLAGS, *wanted).failed(2, "`screens` (in `screens@12`) is not a metric")
    trained = Ran(capsys, "train", log, "--out", model, *FLAGS, *wanted, "--import", ours, "--json").json
    assert trained["report"]["main"] == "screens@12"
    row = trained["report"]["rows"][0]
    assert 0 < row["metrics"]["screens@12"]["value"] < 1
    assert 0 < row["metrics"]["long_tail@12"]["value"] < 1
    card = (model / "README.md").read_text()
    assert "metric `screens` is of `ours.py`: `segue evaluate` takes `--import ours.py`" in card
    assert "loss `focal` was of `ours.py`" in card
    assert str(tmp_path) not in card
    forget()
    told = Ran(capsys, "evaluate", model, log).failed(2, "`screens@12` is a metric of the file ours.py")
    assert "give --import ours.py" in told
    again = Ran(capsys, "evaluate", model, log, "--import", ours, "--json").json
    assert again["rows"][0]["metrics"]["screens@12"] == row["metrics"]["screens@12"]
    forget()
    served = Ran(capsys, "recommend", model, "--items", "i1,i2", "--json").json  # what is not needed is not asked for
    assert len(served["items"]) == 10


def test_the_loss_of_the_page_is_the_one_of_its_paper(tmp_path: Path) -> None:
    import_file(written(tmp_path, OURS, "ours.py"))
    outputs = made_up_rows(segue.config.TrainSettings(), samples=False)
    scores = (outputs.query @ outputs.table.T + outputs.bias).detach().double().numpy()
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    own = p[np.arange(3), outputs.target.numpy()]
    assert float(LOSSES["focal"](outputs).detach()) == pytest.approx(np.mean(-((1 - own) ** 2) * np.log(own)), rel=1e-5)


def test_every_kind_of_metric_comes_in_and_stands_in_the_report(tmp_path: Path) -> None:
    import_file(written(tmp_path, ALL_KINDS))
    names = ["half@3", "length@3", "found@3", "size@3", "widest@3"]
    log = clicks().with_columns(weight=clicks()["timestamp"] % 7)
    items = {f"i{item}": "odd" if item % 2 else "even" for item in range(25)}
    import polars as pl

    table = pl.DataFrame({"item_id": list(items), "categories": list(items.values())})
    with pytest.raises(EvaluationError, match="`half@3` needs what an event is worth"):
        segue.fit(clicks(), model="markov", settings={**QUICK, "evaluate.metrics": names})
    recommender = segue.fit(log, model="markov", items=table, settings={**QUICK, "evaluate.metrics": names})
    row = recommender.trained_report.rows[0]
    values = {name: row.metrics[name].value for name in names}
    assert values["length@3"] == 3
    asked = recommender.evaluate(log, metrics=["recall@3"]).rows[0]
    assert values["found@3"] == asked.metrics["recall@3"].value
    assert 0 < (values["half@3"] or 0) < 0.5
    assert (values["size@3"] or 0) > 1
    assert (values["widest@3"] or 0) >= 1
    assert set(recommender.artifact.metrics["own"]) == {f"metric {name.partition('@')[0]}" for name in names}
    assert set(recommender.artifact.metrics["own"].values()) == {"mine.py"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import numpy\ndef (:\n", r"mine.py, line 2: SyntaxError: .*`def \(:`"),
        ("x = 1\ny = x / 0\n", r"mine.py, line 2: ZeroDivisionError: division by zero"),
        ("\nimport no_such_thing\n", r"mine.py, line 2: it imports `no_such_thing`, which is not installed"),
        (
            "from segue.metrics import rank_metric\n\n@rank_metric\ndef ndcg(ranks, k):\n    return ranks\n",
            r"mine.py, line 3: metric `ndcg` of own_mine is already registered by segue.metrics.ndcg; give one",
        ),
        (
            "from segue.training.losses import loss\n@loss('full')\ndef mine(outputs):\n    return 0\n",
            r"mine.py, line 2: loss `full` of own_mine is already registered by segue.training.losses.full; give one",
        ),
        (
            "from segue.metrics import needs\n@needs('category')\ndef f(lists):\n    return 0\n",
            r"mine.py, line 2: `category` is nothing that a metric may need \(did you mean `categories`",
        ),
        (
            "from segue.metrics import catalog_metric, weighted\n@catalog_metric\n@weighted\ndef f(lists):\n    pass\n",
            r"mine.py, line 2: metric `f` of own_mine is marked `@weighted`, and has no value a prediction",
        ),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    before = set(METRICS), set(LOSSES)
    with pytest.raises(ConfigError, match=words):
        import_file(file)
    assert (set(METRICS), set(LOSSES)) == before
    file.write_text(ALL_KINDS)  # mended, it may be imported
    import_file(file)
    import_file(file)
    assert "half" in METRICS


def test_a_file_that_is_not_there_or_is_no_python_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("absent.py", "", "."):
        with pytest.raises(ConfigError, match=r"there is no such Python file; expected the path of a .py file"):
            import_file(tmp_path / name)
    Ran(capsys, "evaluate", tmp_path, "log.csv", "--import", "gone.py").failed(2, "--import gone.py: there is no such")


def test_a_file_that_fails_after_a_metric_may_be_mended_and_imported_again(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ALL_KINDS}\nraise ValueError('later')\n")
    with pytest.raises(ConfigError, match="ValueError: later"):
        import_file(file)
    file.write_text(ALL_KINDS)
    import_file(file)
    assert METRICS["half"](np.array([1, 9]), 3).tolist() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return ranks[:1]", r"metric `bad` of mine.py gave an array of shape \(1,\) of int32 for 3 predictions"),
        ("return 0.5", r"metric `bad` of mine.py gave float 0.5 for 3 predictions; expected one number each"),
        ("return [[1], [2, 3], []]", r"metric `bad` of mine.py gave list \[\[1\], \[2, 3\], \[\]\] for 3 predictions"),
        ("return np.where(ranks > 2, np.nan, 1)", r"gave nan for prediction 2 \(rank 3\); expected a number"),
        ("return ranks / (ranks - ranks)", r"gave inf for prediction 1 \(rank 1\); expected a number"),
        ("return ranks['a']", r"metric `bad` of mine.py, line 6: IndexError"),
        ("return ['a', 'b', 'c'][:len(ranks)]", r"metric `bad` of mine.py gave list .* expected one number each"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_a_metric_gives_wrongly_is_told_before_anything_is_read(tmp_path: Path, body: str, words: str) -> None:
    text = "import numpy as np\nfrom segue.metrics import rank_metric\n\n@rank_metric\ndef bad(ranks, k):\n"
    import_file(written(tmp_path, f"{text}    {body}\n"))
    with pytest.raises(EvaluationError, match=words):
        segue.fit(tmp_path / "no-log.csv", settings={"evaluate.metrics": ["bad@2"]})


def test_lists_without_a_value_are_nan_in_a_list_metric_and_in_no_other(tmp_path: Path) -> None:
    text = """
import numpy as np
from segue.metrics import catalog_metric, list_metric, target_metric

@list_metric
def gaps(lists):
    return np.full(len(lists.items), np.nan)

@target_metric
def holes(lists):
    return np.full(len(lists.items), np.nan)

@catalog_metric
def many(lists):
    return np.ones(3)
"""
    import_file(written(tmp_path, text))
    try_out(METRICS["gaps"])
    with pytest.raises(
        EvaluationError, match=r"metric `holes` of mine.py gave nan for prediction 1; expected a number"
    ):
        try_out(METRICS["holes"])
    with pytest.raises(EvaluationError, match=r"metric `many` of mine.py gave an array of shape \(3,\).*one finite"):
        try_out(METRICS["many"])


def test_a_metric_that_fails_on_the_lists_of_a_model_does_not_cost_the_training(tmp_path: Path) -> None:
    text = """
from segue.metrics import list_metric

@list_metric
def late(lists):
    if len(lists.items) > 3:
        raise ValueError("too many")
    return lists.filled.sum(axis=1)
"""
    import_file(written(tmp_path, text))
    report = segue.fit(clicks(), model="markov", settings={**QUICK, "evaluate.metrics": ["late@3"]}).trained_report
    assert [row.metrics["late@3"].value for row in report.rows] == [None] * len(report.rows)
    assert report.rows[0].metrics["recall@10"].value
    told = [note for note in report.notes if "late@3" in note]
    assert told == ["late@3 has no value: metric `late` of mine.py, line 7: ValueError: too many"]


def test_every_metric_that_is_there_passes_the_trial() -> None:
    for metric in METRICS.values():
        try_out(metric)
    lists = made_up()
    assert all(getattr(lists, name) is not None for name in lists._fields)


def test_a_metric_that_is_lower_for_a_hit_cannot_choose(tmp_path: Path) -> None:
    text = (
        "from segue.metrics import rank_metric\n@rank_metric\ndef place(ranks, k):\n    return ranks.clip(max=k + 1)\n"
    )
    import_file(written(tmp_path, text))
    with pytest.raises(ConfigError, match=r"`place@10`, which gives a first place 1 and a miss 11, while the highest"):
        segue.fit(tmp_path / "no-log.csv", settings={"train.metric": "place@10"})
    assert parse("place@10")[0] is METRICS["place"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return (outputs.query @ outputs.table.T).sum(1)", r"loss `mine` of mine.py gave a tensor of shape \(3,\)"),
        ("return outputs.query.sum() * float('nan')", "loss `mine` of mine.py gave nan, on 3 made-up rows"),
        ("return outputs.query.detach().sum()", "loss `mine` of mine.py gave a number without gradients"),
        ("return 1.0", "loss `mine` of mine.py gave a float"),
        ("return outputs.querry", "loss `mine` of mine.py, line 5: AttributeError"),
        ("return (outputs.bias * 0).sqrt().sum()", "loss `mine` of mine.py has gradients that are no numbers"),
    ],
)
def test_what_a_loss_gives_wrongly_is_told_before_anything_is_read(tmp_path: Path, body: str, words: str) -> None:
    text = "from segue.training.losses import loss\n\n@loss('mine')\ndef mine(outputs):\n"
    import_file(written(tmp_path, f"{text}    {body}\n"))
    with pytest.raises(ConfigError, match=words):
        segue.fit(tmp_path / "no-log.csv", settings={"train.loss": "mine"})


SAMPLED = """
import torch
from segue.training.losses import loss

@loss("hinge", samples=True)
def hinge(outputs):
    own = (outputs.query * outputs.table[outputs.target]).sum(1, keepdim=True) + outputs.bias[outputs.target, None]
    drawn = outputs.drawn.item
    others = outputs.query @ outputs.table[drawn].T + outputs.bias[drawn]
    return torch.relu(1 - own + others).masked_fill(drawn == outputs.target[:, None], 0).mean()
"""


def test_a_loss_of_one_s_own_over_drawn_items_trains(tmp_path: Path) -> None:
    import_file(written(tmp_path, SAMPLED))
    settings = {**QUICK, "train.loss": "hinge", "train.negatives": 10, "train.epochs": 4, "model.width": 16}
    settings |= {"train.rows": 4, "train.window": 10, "train.learning_rate": 0.02}
    recommender = segue.fit(clicks(), model="gru", settings=settings)
    losses = [loss for loss, _ in recommender.artifact.metrics["curve"]]
    assert losses[-1] < losses[0]
    rows = {row.model: row.metrics["recall@10"].value or 0 for row in recommender.trained_report.rows}
    assert rows["gru"] > rows["popularity"]
    outputs = made_up_rows(segue.config.TrainSettings(), samples=True)
    assert isinstance(outputs, Outputs)
    assert torch.isfinite(LOSSES["hinge"](outputs))
