"""What the columns of a log are taken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from segue.data.events import EventLog
from segue.data.log import read_log
from segue.errors import ConfigError

ROWS = [("ann", "tea", 30), ("bob", "milk", 10), ("ann", "milk", 20), ("bob", "tea", 10)]
EVENTS = [("bob", "milk", 10.0), ("bob", "tea", 10.0), ("ann", "milk", 20.0), ("ann", "tea", 30.0)]


def events_of(log: EventLog) -> list[tuple[str, str, float]]:
    users, items = log.users.take(log.user), log.items.take(log.item)
    return list(zip(users, items, log.time.tolist(), strict=True))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "header",
    [
        "visitorid,itemid,timestamp",
        "userId,movieId,timestamp",
        "Customer ID,StockCode,InvoiceDate",
        "reviewerID,asin,unixReviewTime",
        "customer_id,article_id,t_dat",
        "user_id:token,item_id:token,timestamp:float",
    ],
)
def test_columns_of_peers_are_found(tmp_path: Path, header: str) -> None:
    log = read_log(write(tmp_path / "log.csv", "\n".join([header, *(f"{u},{i},{t}" for u, i, t in ROWS)])))
    assert events_of(log) == EVENTS
    assert f"user_id from column `{header.split(',')[0]}`" in log.notes


def test_of_two_columns_for_one_role_the_first_of_the_list_wins_and_a_note_says_so(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "client_id,user_id,item_id,ts\nc,u,x,1\n"))
    assert list(log.users) == ["u"]
    assert any("`client_id` would do too" in note for note in log.notes)


def test_a_column_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "who,user_id,thing,when\na,z,x,1\n")
    log = read_log(path, user_col="who", item_col="thing", time_col="WHEN")
    assert events_of(log) == [("a", "x", 1.0)]


def test_a_named_column_that_is_missing_gets_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--user-col.*`usr`.*log\.csv.*did you mean `user`"):
        read_log(write(tmp_path / "log.csv", "user,item,ts\na,x,1\n"), user_col="usr")


def test_a_session_without_a_user_is_a_user_of_its_own(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "session_id,item_id,ts\ns1,x,1\ns2,x,2\ns1,y,3\n"))
    assert log.anonymous
    assert list(log.users) == ["s1", "s2"]
    assert log.session is not None
    assert log.session.tolist() == log.user.tolist() == [0, 1, 0]


def test_sessions_of_users_are_numbered(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "user_id,session_id,item_id,ts\na,s9,x,1\nb,s2,x,2\na,s9,y,3\n"))
    assert not log.anonymous
    assert log.session is not None
    assert log.session.tolist() == [0, 1, 0]


def test_a_rating_is_never_taken_as_a_weight(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "user_id,item_id,rating,ts\na,x,4.5,1\n")
    log = read_log(path)
    assert log.weight is None
    assert "columns not used: `rating`" in log.notes
    asked = read_log(path, weight_col="rating").weight
    assert asked is not None
    assert asked.tolist() == [4.5]
    assert asked.dtype == np.float32


def test_types_weights_and_splits_are_read(tmp_path: Path) -> None:
    text = "user_id,item_id,ts,event,weight,split\na,x,2,buy,2,TEST\na,y,1,view,0.5,Train\nb,y,3,view,1,dev\n"
    log = read_log(write(tmp_path / "log.csv", text))
    assert log.type_names == ("view", "buy")
    assert log.event_type is not None
    assert log.weight is not None
    assert log.split is not None
    assert log.event_type.tolist() == [0, 1, 0]
    assert log.weight.tolist() == [0.5, 2.0, 1.0]
    assert log.split.tolist() == [0, 2, 1]


def test_an_event_without_a_weight_counts_for_nothing_and_is_there(tmp_path: Path) -> None:
    text = "user_id,item_id,ts,paid\na,x,1,\na,y,2,9.5\na,z,3,  \n"
    log = read_log(write(tmp_path / "log.csv", text), weight_col="paid")
    assert log.weight is not None
    assert log.weight.tolist() == [0, 9.5, 0]
    assert "2 events have no weight: it is taken as 0" in log.notes
    frame = pl.DataFrame({"user_id": ["a"] * 3, "item_id": list("xyz"), "ts": [1, 2, 3], "paid": [None, np.nan, 1.5]})
    asked = read_log(frame, weight_col="paid").weight
    assert asked is not None
    assert asked.tolist() == [0, 0, 1.5]


def test_features_are_numbers_or_codes_and_only_those_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "user_id,item_id,ts,price,device\na,x,1,9.5,ios\na,y,2,,web\nb,y,3,3,ios\n")
    assert read_log(path).features == {}
    log = read_log(path, feature_cols=("price", "device"))
    np.testing.assert_array_equal(log.features["price"], np.array([9.5, np.nan, 3.0], np.float32))
    assert log.features["device"].tolist() == [0, 1, 0]
    assert log.features["device"].dtype == np.int32
    assert log.feature_names == {"device": ("ios", "web")}


def test_without_times_a_position_orders_the_log(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "session_id,item_id,position\ns,x,2\ns,y,1\nt,y,1\n"))
    assert not log.timed
    assert events_of(log) == [("s", "y", 1.0), ("t", "y", 1.0), ("s", "x", 2.0)]


def test_a_position_is_left_alone_where_there_is_a_time_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "session_id,item_id,position,ts\ns,x,2,7\ns,y,1,7\ns,z,3,5\n")
    assert [item for _, item, _ in events_of(read_log(path))] == ["z", "x", "y"]
    log = read_log(path, order_col="position")
    assert log.timed
    assert events_of(log) == [("s", "z", 5.0), ("s", "y", 7.0), ("s", "x", 7.0)]
