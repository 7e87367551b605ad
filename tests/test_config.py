"""Settings: TOML in and out, and a wrong key or value says so by its name."""

from __future__ import annotations

import runpy
from pathlib import Path

import msgspec
import pytest

from segue.choices import allowed, settings_of, settings_tree
from segue.config import Settings, toml_of
from segue.errors import ConfigError


def test_toml_reads_back_to_the_same(tmp_path: Path) -> None:
    settings = settings_of({"train": {"epochs": 3}, "sessions": {"gap": 60.0}, "evaluate": {"metrics": ["gini@5"]}})
    file = tmp_path / "s.toml"
    file.write_text(toml_of(settings))
    assert settings_of(settings_tree(file)) == settings
    file.write_text(toml_of(Settings()))
    assert settings_of(settings_tree(file)) == Settings()


def test_what_is_nearer_to_the_user_wins(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("seed = 2\n[train]\nepochs = 3\nrows = 4\nwindow = 5\n")
    tree = settings_tree(file, ["train.rows=6", "train.window=7"], {"train.window": 8, "seed": None})
    settings = settings_of(tree, {"train.epochs": 9, "train.patience": 9})
    found = settings.train
    assert (found.patience, found.epochs, found.rows, found.window, settings.seed) == (9, 3, 6, 8, 2)
    assert found.clip == Settings().train.clip


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("train.learning_rte=1", r"`train.learning_rte` is not a setting \(did you mean `train.learning_rate`\?\)"),
        ("trian.epochs=1", r"`trian.epochs` is not a setting \(did you mean `train.epochs`\?\)"),
        ("train.epochs", "expected `section.key=value`"),
        ("train=1", "`train` is a section, found 1"),
        ("sede=1", r"`sede` is not a setting \(did you mean `seed`\?\)"),
    ],
)
def test_an_unknown_key_names_the_nearest(assignment: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        settings_tree(None, [assignment])


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("train.epochs=0", "setting `train.epochs` is 0: expected a whole number of at least 1$"),
        ("train.epochs=many", "setting `train.epochs` is 'many': expected a whole number of at least 1$"),
        ("model.dropout=1.0", "setting `model.dropout` is 1.0: expected a number of at least 0 and below 1$"),
        ("train.learning_rate=-1", "setting `train.learning_rate` is -1"),
        ("split.kind=random", "setting `split.kind` is 'random': expected one of time, leave-one-out, column"),
        ("model.time_gap=1", "setting `model.time_gap` is 1: expected true or false$"),
        ("sessions.gap=nver", "setting `sessions.gap` is 'nver': expected a number above 0 or \"never\"$"),
        ("train.learning_rate=nan", "setting `train.learning_rate` is nan: expected a number above 0$"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(assignment: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        settings_of(settings_tree(None, [assignment]))


def test_what_every_setting_may_be_is_said_without_the_words_of_programmers() -> None:
    for section in msgspec.structs.fields(Settings):
        nested = (
            [f".{field.name}" for field in msgspec.structs.fields(section.type)] if section.name != "seed" else [""]
        )
        for name in nested:
            words = allowed(f"{section.name}{name}")
            assert "a section" not in words
            assert not {"int", "float", "str", "bool", "array", "|", ">=", "`"} & set(words.split())


def test_a_key_of_a_saved_file_that_is_no_setting_is_named() -> None:
    for tree, told in (({"x": 1}, "settings: .* `x`"), ({"train": {"x": 1}}, "settings, `train`: .* `x`")):
        with pytest.raises(ConfigError, match=told):
            settings_of(tree)


def test_a_file_that_is_missing_broken_or_has_an_unknown_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    with pytest.raises(ConfigError, match=r"s\.toml: there is no such"):
        settings_tree(file)
    file.write_text("train = [")
    with pytest.raises(ConfigError, match=r"s\.toml: not a readable TOML"):
        settings_tree(file)
    file.write_text("[model]\nwidht = 3\n")
    with pytest.raises(ConfigError, match=r"s\.toml: `model.widht` is not a setting \(did you mean `model.width`"):
        settings_tree(file)


def test_the_page_of_settings_is_what_the_settings_are() -> None:
    docs = Path(__file__).parents[1] / "docs"
    generate = runpy.run_path(str(docs / "generate.py"))
    assert (docs / "settings.md").read_text("utf-8") == generate["page"](), "run docs/generate.py"
