"""Columns as numbers: what is alike becomes alike, later tables are encoded as the first was, bad ones are told."""

from __future__ import annotations

import numpy as np
import pytest

from segue.data.encoding import KINDS, Sparse, TableEncoder, kind_for, latent
from segue.data.encoding.labels import MOST
from segue.errors import ConfigError, LogError
from segue.training.axes import axes_of

MANY = [f"brand {number}" for number in range(3 * MOST)]
TABLE = {
    "title": ["a red mug", "the blue mug", "red mugs", None, "green table cloth", "table cloth, green"],
    "categories": [["kitchen"], ["kitchen", "sale"], ["kitchen"], None, ["home"], ["home"]],
    "price": [1.0, 2.5, 2.5, None, 1e9, -3],
    "sku": ["x1", "x2", "x3", "x4", "x5", "x6"],
    "empty": [None] * 6,
    "same": ["a"] * 6,
    "vector": [["1", "0.5"], ["1", "0.25"], None, ["0", "0.5"], ["-1", "1"], ["2", "2"]],
}


def fitted(*asked: str, table: dict | None = None) -> TableEncoder:
    return TableEncoder.fitted(TABLE if table is None else table, asked or ("auto",), axes=axes_of)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_kinds_are_found_and_what_tells_nothing_is_left_out() -> None:
    encoder = fitted()
    assert {name: one.encoder.kind for name, one in encoder.columns.items()} == {
        "title": "text",
        "categories": "labels",
        "price": "number",
        "vector": "vector",
    }
    assert encoder.notes[0] == "no content in sku, empty, same: empty, all alike, or different for each"
    assert encoder.notes[1].startswith("content of items: `title` as text, ")
    assert kind_for("code", list(range(100))) is None  # whole numbers, each its own
    assert kind_for("year", [1990 + number % 30 for number in range(100)]) == "number"
    assert kind_for("size", [1, 2, 3] * 9) == "labels"
    assert kind_for("lists", [["1", "2"], ["3", "1"], ["2", "3"]] * 3) == "labels"  # no fractions: no vectors


def test_alike_texts_are_near_and_others_are_not() -> None:
    encoder = fitted("title")
    rows = encoder.encode(TABLE, 6)
    assert cosine(rows[0], rows[2]) > 0.8
    assert cosine(rows[4], rows[5]) > 0.99
    assert abs(cosine(rows[0], rows[4])) < 0.1
    assert not rows[3].any()
    later = encoder.encode({"title": ["a mug of red glass", "zzz", ""]}, 3)
    assert cosine(later[0], rows[0]) > 0.5
    assert not later[1:].any()


def test_few_labels_have_columns_and_many_few_numbers() -> None:
    few = fitted("categories").encode(TABLE, 6)
    assert few.shape == (6, 3)
    assert cosine(few[0], few[2]) == pytest.approx(1)
    assert cosine(few[0], few[1]) == pytest.approx(0.5**0.5)
    assert cosine(few[0], few[4]) == 0
    many = {"brand": [*MANY, *MANY], "pair": [[one, MANY[0]] for one in [*MANY, *MANY]]}
    encoder = fitted("brand", "pair", table=many)
    assert [one.encoder.width for one in encoder.columns.values()] == [len(MANY), len(MANY)]
    rows = encoder.encode(many, len(many["brand"]))[:, encoder.parts["pair"]]
    assert np.array_equal(rows[5], rows[5 + len(MANY)])


def test_large_tables_have_fewer_numbers_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"brand": [*MANY, *MANY]}
    monkeypatch.setattr(latent, "MOST", 100 * len(table["brand"]))
    assert fitted(table=table).width == 100
    monkeypatch.setattr(latent, "MOST", 1)
    assert fitted(table=table).width == latent.FEWEST_WIDTH


def test_axes_are_learned_from_a_part_of_many_values_and_of_the_commonest_terms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = {"brand": [*MANY, *MANY, *MANY]}
    whole = fitted(table=table).encode(table, len(table["brand"]))
    monkeypatch.setattr(latent, "ROWS", 7)
    assert np.array_equal(fitted(table=table).encode(table, len(table["brand"])), whole)
    monkeypatch.setattr(latent, "SAMPLE", 300)
    seen: list[int] = []

    def noting(rows: Sparse, width: int) -> np.ndarray:
        seen.append(len(rows))
        return axes_of(rows, width)

    encoder = TableEncoder.fitted(table, ["brand:labels"], axes=noting)
    assert seen == [len(table["brand"]) // 2]
    monkeypatch.setattr(latent, "TERMS", 10)
    assert fitted("brand:labels", table=table).width == 10
    assert encoder.width > 10


def test_numbers_lie_between_their_quantiles_whatever_their_size() -> None:
    rows = fitted("price").encode(TABLE, 6) * 1.0
    low, high = rows[5, 0], rows[4, 0]
    assert low == -high < 0
    assert rows[5, 0] < rows[0, 0] < rows[1, 0] == rows[2, 0] < rows[4, 0]
    assert (rows[:, 1] > 0).tolist() == [True, True, True, False, True, True]
    later = fitted("price").encode({"price": [-1e30, 1e30, 2.5]}, 3)
    assert later[:, 0].tolist() == pytest.approx([low, high, rows[1, 0]])


def test_each_column_weighs_alike() -> None:
    encoder = fitted()
    rows = encoder.encode(TABLE, 6)
    for name, part in encoder.parts.items():
        length = np.linalg.norm(rows[:, part], axis=1)
        assert np.sqrt(np.mean(length[length > 0] ** 2)) == pytest.approx(1, rel=1e-5), name


def test_what_was_kept_encodes_alike() -> None:
    table = {**TABLE, "brand": [MANY[:90]] * 3 + [MANY[60:]] * 3}
    encoder = fitted(table=table)
    again = TableEncoder.restored(encoder.plain(), encoder.arrays())
    assert list(again.columns) == list(encoder.columns)
    assert np.array_equal(again.encode(table, 6), encoder.encode(table, 6))
    with pytest.raises((KeyError, TypeError, ValueError)):
        TableEncoder.restored(encoder.plain(), {})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"price": ["cheap"] * 6}, "column `price` of new.csv is 'cheap'; expected a number, as it was learned"),
        ({"price": [float("inf")] * 6}, "column `price` of new.csv is inf; expected a finite number"),
        ({"vector": [[1.0, 2.0, 3.0]] * 6}, "`vector` of new.csv is a vector of 3 numbers; expected 2 numbers"),
        ({"vector": ["abc"] * 6}, "`vector` of new.csv is 'abc'; expected a list of 2 numbers"),
        ({"vector": [[1.0, float("nan")]] * 6}, "has a number that is not finite: nan"),
    ],
)
def test_changed_types_are_told_with_the_column(changed: dict, message: str) -> None:
    with pytest.raises(LogError, match=message):
        fitted().encode({**TABLE, **changed}, 6, of="new.csv")


def test_missing_columns_are_told_all_at_once() -> None:
    with pytest.raises(
        LogError, match=r"new.csv lacks `title`, `vector`, of which the model learned; expected the columns"
    ):
        fitted().encode({name: TABLE[name] for name in ("categories", "price")}, 6, of="new.csv")


def test_bad_wishes_are_told() -> None:
    with pytest.raises(ConfigError, match=r"no column `titel` .did you mean `title`"):
        fitted("titel")
    with pytest.raises(LogError, match="column `sku` is 'x1'; expected a number"):
        fitted("sku:number")
    assert fitted("price:labels").columns["price"].encoder.kind == "labels"
    assert fitted("same").columns["same"].encoder.kind == "labels"
    assert set(KINDS) == {"number", "labels", "text", "vector"}


def test_axes_are_those_of_a_whole_decomposition() -> None:
    rng = np.random.default_rng(3)
    dense = np.where(rng.random((200, 60)) < 0.1, rng.normal(size=(200, 60)), 0).astype(np.float32)
    dense[:, :4] += (5 * rng.normal(size=(200, 1)) * np.array([4.0, 2.0, 1.0, 0.5])).astype(np.float32)
    row, column = np.nonzero(dense)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=200))])
    rows = Sparse(bounds, column.astype(np.int32), dense[row, column], 60)
    found = axes_of(rows, 3)
    _, sizes, expected = np.linalg.svd(dense)
    kept = np.linalg.norm(dense @ found)
    assert kept == pytest.approx(np.linalg.norm(sizes[:3]), rel=1e-3)
    assert abs(found[:, 0] @ expected[0]) == pytest.approx(1, rel=1e-3)
    assert np.array_equal(found, axes_of(rows, 3))
    assert (found[np.abs(found).argmax(0), range(3)] > 0).all()
    with pytest.raises(ValueError, match="61 axes of 200 rows of width 60"):
        axes_of(rows, 61)
