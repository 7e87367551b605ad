"""Files that are damaged, or not what they are called: none is read in part, each says where it breaks."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from segue.data.log import read_log
from segue.errors import LogError

HEADER = "user_id,item_id,ts\n"
LONG = HEADER + "".join(f"u{place * 7919 % 1009},i{place * 104729 % 997},{place}\n" for place in range(50_000))


def failure(path: object, **options: object) -> str:
    with pytest.raises(LogError) as error:
        read_log(path, **options)  # type: ignore[arg-type]
    # Nothing of polars is shown.
    assert error.value.__cause__ is None
    return str(error.value)


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_text_that_is_not_utf8_names_the_line_and_the_remedy(tmp_path: Path) -> None:
    message = failure(save(tmp_path / "log.csv", (HEADER + "a,x,1\nb,caf\u00e9,2\n").encode("latin-1")))
    assert "log.csv is not UTF-8 (line 3: byte 0xe9 after 'b,caf')" in message
    assert "iconv -f LATIN1 -t UTF-8 log.csv" in message


def test_utf16_is_recognised(tmp_path: Path) -> None:
    assert "iconv -f UTF-16" in failure(save(tmp_path / "log.csv", (HEADER + "a,x,1\n").encode("utf-16")))


def test_utf8_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert len(read_log(save(tmp_path / "log.csv", (HEADER + "a,x,1\n").encode("utf-8-sig")))) == 1


@pytest.mark.parametrize("cut", [1, 8, 5_000])
def test_a_truncated_gz_is_never_read_in_part(tmp_path: Path, cut: int) -> None:
    message = failure(save(tmp_path / "log.csv.gz", gzip.compress(LONG.encode())[:-cut]))
    assert "log.csv.gz is cut short or damaged" in message


@pytest.mark.parametrize("cut", [1, 8, 5_000])
def test_a_truncated_zst_is_never_read_in_part(tmp_path: Path, cut: int) -> None:
    message = failure(save(tmp_path / "log.csv.zst", zstandard.ZstdCompressor().compress(LONG.encode())[:-cut]))
    assert "log.csv.zst is cut short or damaged" in message


def test_a_damaged_gz_is_never_read_in_part(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LONG.encode()))
    packed[-6] ^= 1
    assert "cut short or damaged" in failure(save(tmp_path / "log.csv.gz", bytes(packed)))


@pytest.mark.parametrize("header", ["user_id,item_id,ts,title,more\n", HEADER])
def test_a_row_with_more_fields_than_the_header_is_an_error_with_its_line(tmp_path: Path, header: str) -> None:
    width = header.count(",")
    rows = f"a,x,1{',' * (width - 2)}\nb,y,2{',z' * (width - 1)}\n"
    message = failure(save(tmp_path / "log.csv", header + rows))
    assert f"log.csv, line 3 has {width + 2} fields, the header {width + 1}" in message


def test_a_quote_that_is_never_closed_is_an_error(tmp_path: Path) -> None:
    assert "quote" in failure(save(tmp_path / "log.csv", HEADER + 'a,"x,1\nb,y,2\n'))


def test_recbole_files_may_hold_quotes(tmp_path: Path) -> None:
    log = read_log(save(tmp_path / "log.inter", 'user_id:token\titem_id:token\ttimestamp:float\na\t"x\t1\n'))
    assert list(log.items) == ['"x']


@pytest.mark.parametrize("before", [0, 3_000])
def test_a_line_that_is_not_json_is_named(tmp_path: Path, before: int) -> None:
    good = '{"user_id": "a", "item_id": "x", "ts": 1}\n'
    message = failure(save(tmp_path / "log.jsonl", good * before + '{"user_id": "a", "item\n' + good))
    assert f"log.jsonl, line {before + 1} is not JSON" in message


def test_json_that_is_no_object_is_named(tmp_path: Path) -> None:
    assert "expected one JSON object a line" in failure(save(tmp_path / "log.jsonl", '["a", "x", 1]\n'))


def test_what_is_not_parquet_is_said(tmp_path: Path) -> None:
    assert "log.parquet is no Parquet file" in failure(save(tmp_path / "log.parquet", HEADER + "a,x,1\n"))
