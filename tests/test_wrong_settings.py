"""Settings that no one should write, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.choices import settings_of, settings_tree
from segue.errors import ConfigError


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (["train.epochs.x=3"], r"`train\.epochs\.x` is not a setting \(did you mean `train\.epochs`\?\)"),
        (["train.epochs=3", "train.epochs.x=3"], r"`train\.epochs\.x` is not a setting"),
        (["=3"], "is not a setting"),
        (["train..epochs=3"], "is not a setting"),
        (["evaluate.metrics=[1]"], r"setting `evaluate\.metrics` is \[1\]: expected a list of texts"),
        (["evaluate.metrics=ndcg@5"], r"setting `evaluate\.metrics` is 'ndcg@5': expected a list of texts, such as"),
        (["train.epochs=3.0"], r"setting `train\.epochs` is 3\.0: expected a whole number of at least 1"),
        (["train.epochs=true"], r"setting `train\.epochs` is true: expected a whole number of at least 1"),
        (["sessions.gap=nver"], r"setting `sessions\.gap` is 'nver'"),
        (["sessions.gap=0"], r"setting `sessions\.gap` is 0"),
        (["seed=-1"], r"setting `seed` is -1"),
        (["seed=99999999999999999999999"], r"setting `seed` is 9{23}"),
        (["evaluate.replicates=99"], r"setting `evaluate\.replicates` is 99: expected a whole number of at least 100"),
        (["split.test=1"], r"setting `split\.test` is 1"),
    ],
)
def test_it_is_named_with_what_was_found(assignments: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        settings_tree(None, assignments)


def test_a_list_and_a_section_are_read_as_toml(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('[evaluate]\nmetrics = ["gini@5"]\nexclude = "seen"\n')
    settings = settings_of(settings_tree(file, ['evaluate.metrics=["gini@7", "ndcg@3"]', "sessions.gap=60"]))
    assert settings.evaluate.metrics == ("gini@7", "ndcg@3")
    assert settings.evaluate.exclude == "seen"
    assert settings.sessions.gap_seconds == 60.0
    assert settings_of({}).sessions.gap_seconds is None


def test_a_tree_is_not_changed_by_what_is_made_of_it() -> None:
    tree = settings_tree(None, ["train.epochs=3"])
    settings_of(tree, {"train.rows": 9, "evaluate.exclude": "seen"})
    assert tree == {"train": {"epochs": 3}}
