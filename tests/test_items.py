"""Items tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from segue.data.ids import Ids
from segue.data.items import ItemTable, check_items, read_items
from segue.errors import ConfigError, LogError


def save(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_titles_and_categories_get_their_names_and_numbers_their_types(tmp_path: Path) -> None:
    text = 'movieId,movie_title,Genres,Price,zip\n1,Up,Comedy|Drama,9.5,007\n2,"Run, Lola",Action,3,010\n3,,,,\n'
    table = read_items(save(tmp_path / "items.csv", text))
    assert list(table.ids) == ["1", "2", "3"]
    assert table.columns == {
        "title": ["Up", "Run, Lola", None],
        "categories": [["Comedy", "Drama"], ["Action"], None],
        "price": [9.5, 3.0, None],
        "zip": ["007", "010", None],
    }
    assert "title from column `movie_title`" in table.notes


def test_a_title_is_a_string_even_if_it_is_a_number(tmp_path: Path) -> None:
    assert read_items(save(tmp_path / "items.csv", "item_id,title\n1,1984\n")).columns == {"title": ["1984"]}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("category", "a|b, c", ["a", "b, c"]),
        ("category", "a, b", ["a", "b"]),
        ("category", "Home Garden", ["Home Garden"]),
        ("genres", "Action Comedy", ["Action", "Comedy"]),
        ("tags", "['a', 'b c']", ["a", "b c"]),
        ("tags", '["a", "b c"]', ["a", "b c"]),
    ],
)
def test_categories_are_parted_by_the_mark_they_use(name: str, value: str, expected: list[str]) -> None:
    assert read_items(pl.DataFrame({"item_id": ["x"], name: [value]})).columns == {"categories": [expected]}


def test_the_first_row_of_an_item_counts_and_the_others_are_counted(tmp_path: Path) -> None:
    table = read_items(save(tmp_path / "items.csv", "item_id,title\nx,first\nx,second\n,none\ny,other\nx,third\n"))
    assert table.columns["title"] == ["first", "other"]
    assert "2 rows left out: the item has a row already (the first counts)" in table.notes
    assert any(note.startswith("1 rows left out: item_id is empty (items.csv, row 3") for note in table.notes)


def test_lists_of_json_stay_lists(tmp_path: Path) -> None:
    lines = '{"asin": "x", "title": "T", "categories": ["a", "b,c"], "n": 3}\n{"asin": "y", "categories": []}\n'
    table = read_items(save(tmp_path / "items.jsonl", lines))
    assert table.columns == {"title": ["T", None], "categories": [["a", "b,c"], []], "n": [3, None]}


def test_recbole_item_files_are_read(tmp_path: Path) -> None:
    text = 'item_id:token\tmovie_title:token_seq\tclass:token_seq\n1\tUp "2"\tComedy Drama\n'
    table = read_items(save(tmp_path / "x.item", text))
    assert table.columns == {"title": ['Up "2"'], "categories": [["Comedy", "Drama"]]}


def test_frames_with_lists_are_read() -> None:
    expected = {"categories": [["a", "b"], [], None]}
    values = [["a", "b"], [], None]
    for frame in (
        pl.DataFrame({"id": [1, 2, 3], "tags": values}),
        pd.DataFrame({"id": [1, 2, 3], "tags": values}),
    ):
        table = read_items(frame)
        assert list(table.ids) == ["1", "2", "3"]
        assert table.columns == expected


def test_several_files_are_one_table(tmp_path: Path) -> None:
    save(tmp_path / "a.csv", "item_id,title\nx,X\n")
    save(tmp_path / "b.csv", "item_id,price\ny,2\nx,3\n")
    table = read_items(tmp_path)
    assert list(table.ids) == ["x", "y"]
    assert table.columns == {"title": ["X", None], "price": [None, 2]}


def test_the_column_of_ids_can_be_named(tmp_path: Path) -> None:
    path = save(tmp_path / "items.csv", "code,item_id\nc,x\n")
    assert list(read_items(path, item_col="code").ids) == ["c"]
    with pytest.raises(ConfigError, match=r"--item-col.*did you mean `code`"):
        read_items(path, item_col="cod")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thing,title\na,b\n", "no column that is known to hold the item"),
        ("item_id,title\n", "no usable row"),
        ("item_id,title\n,b\n", "item_id is empty"),
        ("", "is empty"),
    ],
)
def test_a_table_without_items_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read_items(save(tmp_path / "items.csv", text))


def test_items_that_do_not_meet_the_log_are_counted() -> None:
    table = ItemTable(Ids.of(["a", "b", "c"]))
    assert check_items(table, Ids.of(["a", "x"])) == [
        "1 of 2 items of the log have no row in the items table",
        "2 of 3 rows of the items table are items that the log does not have",
    ]
    assert check_items(table, Ids.of(["c", "b", "a"])) == []


def test_a_table_of_other_ids_is_an_error_that_shows_both() -> None:
    table = ItemTable(Ids.of(["a", "b", "c", "d"]))
    with pytest.raises(LogError, match=r"`a`, `b`, `c`, the log `1`, `2`.*--item-col"):
        check_items(table, Ids.of(["1", "2"]))


def test_an_items_table_is_returned_as_it_is() -> None:
    table = ItemTable(Ids.of(["a"]))
    assert read_items(table) is table


def test_items_load_without_polars() -> None:
    code = "import sys, segue.data.items; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
