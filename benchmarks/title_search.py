"""What a search by titles costs: `.venv/bin/python benchmarks/title_search.py`, into title_search.json.

A million titles of four made-up words, in plain letters and in letters with accents. Seconds are those of the thread
that searches; and what an event loop beside it is late by.
"""

import asyncio
import json
import random
import resource
import statistics
import time
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from machine import introduce

from segue.data.ids import Ids
from segue.serving.browse.titles import Titles

OUT = Path(__file__).with_suffix(".json")
ITEMS, WORDS, K, ROUNDS = 1_000_000, 200_000, 20, 5
PLAIN = ["ka", "lo", "mi", "ter", "ron", "sa", "de", "vu", "pri", "gon"]
TICK = 0.001


def main() -> None:
    introduce(1)
    found: dict[str, Any] = {"command": "python benchmarks/title_search.py", "items": ITEMS}
    for name, syllables in {"plain": PLAIN, "accents": [*PLAIN, "é", "ü", "ñä"]}.items():
        found[name] = row = measured(syllables)
        print(f"{name}: " + ", ".join(f"{what} {value:.4g}" for what, value in row.items()))
    found["within_words_ms"], found["letters_ms"] = within()
    print(
        "a piece within the words of all titles: {within_words_ms:.0f} ms, ten letters: {letters_ms:.0f} ms".format(
            **found
        )
    )
    found["never_together_ms"] = worst()
    print(f"two words in half of the titles each, never together: {found['never_together_ms']:.0f} ms")
    OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def measured(syllables: list[str]) -> dict[str, float]:
    """Seconds to fold, megabytes, milliseconds by what is searched for, and what an event loop is late by."""
    rng = np.random.default_rng(1)
    draw = random.Random(1)
    words = ["".join(draw.choices(syllables, k=draw.randint(2, 4))) for _ in range(WORDS)]
    places = np.minimum(rng.zipf(1.2, (ITEMS, 4)), WORDS) - 1
    titles = [" ".join(words[place] for place in row).title() for row in places.tolist()]
    ids = Ids.of(f"i{place}" for place in range(ITEMS))
    ids.place_of("")  # a server has the index of ids already
    searched = Titles(ids, titles, rng.integers(0, 1000, ITEMS))
    before, begun = resident(), time.thread_time()
    _, blocks = searched.folded()
    row = {
        "fold_s": time.thread_time() - begun,
        "kept_mb": sum(len(block.text) for block in blocks) / 1e6 + 4 * ITEMS / 1e6,
        "more_resident_mb": resident() - before,
    }
    rare = max((words[place] for place in places[:1000].ravel() if place > WORDS // 2), key=len)
    for what, text in {
        "beginning": syllables[0],
        "frequent_words": f"{words[0]} {words[1]}",
        "rare_word": rare,
        "nothing_found": "zzzz",
        "no_text": "",
    }.items():
        row[f"{what}_ms"] = 1e3 * statistics.median(seconds(searched, text) for _ in range(ROUNDS))
    row["loop_late_alone_ms"], row["loop_late_beside_ms"] = late(None), late(searched)
    return row


def within() -> tuple[float, float]:
    """Milliseconds where all titles have what is searched for, and in none it begins a word."""
    searched = searched_titles([f"{place} going home" for place in range(ITEMS)])
    return 1e3 * seconds(searched, "oing"), 1e3 * seconds(searched, "o i n m e ing om in oi me")


def worst() -> float:
    """Milliseconds where every title has one of two words, and none has both."""
    titles = [f"{'comedy' if place % 2 else 'horror'} film {place}" for place in range(ITEMS)]
    return 1e3 * seconds(searched_titles(titles), "comedy horror")


def searched_titles(titles: list[str]) -> Titles:
    """Ready to be searched."""
    ids = Ids.of(titles)
    ids.place_of("")
    searched = Titles(ids, titles, None)
    searched.folded()
    return searched


def seconds(searched: Titles, text: str) -> float:
    """Of this thread."""
    begun = time.thread_time()
    searched.found(text, K)
    return time.thread_time() - begun


def late(searched: Titles | None) -> float:
    """Milliseconds, the 99th of a hundred, by which an event loop is late where another thread searches without end."""
    ended = False

    def search() -> None:
        while not ended and searched is not None:
            searched.found("zzzz", K)

    async def ticks() -> list[float]:
        found = []
        for _ in range(1000):
            begun = time.perf_counter()
            await asyncio.sleep(TICK)
            found.append(time.perf_counter() - begun - TICK)
        return found

    thread = Thread(target=search)
    thread.start()
    found = asyncio.run(ticks())
    ended = True
    thread.join()
    return 1e3 * statistics.quantiles(found, n=100)[98]


def resident() -> float:
    """The most megabytes that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
