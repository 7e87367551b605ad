"""The records of a text file, byte for byte, and the user in each.

Not by the `csv` module: what stays is to be the very bytes that were there, line ends and odd quotes among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import IO

BLOCK = 2**20
"""So many bytes are read at once, and what is left of the last line."""

QUOTED = re.compile(rb'"[^"]*(?:""[^"]*)*"')


def blocks(source: IO[bytes], *, quoted: bool) -> Iterator[bytes]:
    """A file in parts of whole records: where fields may be quoted, none ends inside of quotes."""
    held: list[bytes] = []
    inside = False
    while part := source.read(BLOCK):
        part += source.readline()
        held.append(part)
        inside ^= quoted and part.count(b'"') % 2 == 1
        if not inside:
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)


def records(lines: Iterable[bytes], *, quoted: bool) -> Iterator[bytes]:
    r"""Whole records with their line ends: where fields may be quoted, a line that ends inside of quotes goes on.

    >>> list(records([b'a,"x\n', b'y"\n', b"b,z\n"], quoted=True))
    [b'a,"x\ny"\n', b'b,z\n']
    """
    parts: list[bytes] = []
    for line in lines:
        odd = quoted and b'"' in line and line.count(b'"') % 2 == 1
        if parts:
            parts.append(line)
            if odd:
                yield b"".join(parts)
                parts = []
        elif odd:
            parts = [line]
        else:
            yield line
    if parts:
        yield b"".join(parts)


def field(record: bytes, place: int, separator: bytes, *, quoted: bool) -> bytes | None:
    r"""A field of a record as a reader takes it; None where the record ends before it.

    >>> field(b'"a ""b"", c",d\r\n', 0, b",", quoted=True), field(b"a,d\r\n", 1, b",", quoted=True)
    (b'a "b", c', b'd')
    """
    record = record.removesuffix(b"\n").removesuffix(b"\r")
    if not quoted or b'"' not in record:
        fields = record.split(separator, place + 1)
        return fields[place] if place < len(fields) else None
    begin = 0
    for left in range(place, -1, -1):
        found = QUOTED.match(record, begin)
        end = found.end() if found else record.find(separator, begin)
        end = len(record) if end < 0 else end
        if not left:
            return found[0][1:-1].replace(b'""', b'"') if found else record[begin:end]
        if end >= len(record):
            return None
        begin = end + len(separator)
    return None


def hint_of(users: Iterable[str]) -> re.Pattern[bytes]:
    """Finds what must stand in the bytes of a field that is one of these users: what lacks it need not be taken apart.

    A quote in an id may be written twice: what comes before it stands in both.
    """
    heads = (user.encode("utf-8", "surrogatepass").partition(b'"')[0] for user in users)
    return re.compile(b"|".join(map(re.escape, heads)))
