"""Text as it is searched: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
"""Those which Unicode does not take apart, though a reader without them on the keyboard would."""

UNHEARD = "'`\u2019\u02bc"
"""What stands within a word, and is left out of it."""


def folded(text: str) -> str:
    """Text as it is searched: words in lower case without accents, parted by spaces; lines stay lines.

    >>> folded("Amélie: l’ŒUVRE (2001)").split()
    ['amelie', 'loeuvre', '2001']
    """
    if text.isascii():
        return text.encode().translate(ascii_table(), UNHEARD.encode("ascii", "ignore")).decode()
    parted, dropped = patterns()
    text = dropped.sub("", unicodedata.normalize("NFKD", text)).casefold()
    for letter, plain in LETTERS.items():
        text = text.replace(letter, plain)
    return parted.sub(" ", text)


@cache
def patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What parts words, and what is left out of them: accents, and marks that say how text runs.

    Of the characters up to U+FFFF: what is beyond them are letters, and signs that are searched as they are.
    """
    spaces, dropped = [], list(UNHEARD)
    for character in map(chr, range(0x10000)):
        kind = unicodedata.category(character)
        if kind in ("Mn", "Me", "Cf"):
            dropped.append(character)
        elif (kind[0] in "PZ" or kind == "Cc") and character not in UNHEARD and character != "\n":
            spaces.append(character)
    return tuple(re.compile(f"[{re.escape(''.join(one))}]+") for one in (spaces, dropped))  # type: ignore[return-value]


@cache
def ascii_table() -> bytes:
    """The same of one byte each."""
    parted, _ = patterns()
    return bytes(ord(parted.sub(" ", chr(code)).lower()) if code < 128 else code for code in range(256))
