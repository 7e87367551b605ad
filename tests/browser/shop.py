"""A shop whose titles are out to do harm, a model of it, and visitors that a server has stored."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path
from typing import Any, NamedTuple

from segue.cli import run

DAYS, USERS, VISITS, CLICKS, GAP = 20, 60, 3, 6, 1800
WORDS = ("Lamp", "Chair", "Table", "Shelf", "Mirror", "Carpet", "Clock", "Vase", "Basket", "Blanket")
COLOURS = ("red", "green", "blue", "white", "black")
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror="document.title=\'broken\'">',
    "entity": "&lt;b&gt;bold&lt;/b&gt; &amp; 'quotes' \"double\" `back`",
    "template": "${alert(1)} {{7*7}} %s \\u003cb\\u003e",
    "long": "Long " + "endless" * 1428,
    "hebrew": "שולחן עץ \u202eכבד\u202c 2 אגורות",
    "arabic": "كرسي خشبي، ٤ قطع",
    "emoji": "Lamp 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🪑",
    "combining": "Z̷̢̛̤͎͙̰̝̙͍̈́̐͊̕a̸̡̱̹͓̟͔͋̑̀l̶̢͇̘̈́̎g̵̛̼o, Café, Ångström",
    "empty": "",
    "blank": " \u2003\u00a0 ",
    "null/id?#&%": "An id that is no word of an address",
}
"""Titles by what they are, which is their items' id too."""


class Item(NamedTuple):
    """A row of the items table."""

    item_id: str
    title: str
    categories: str
    price: str


def items() -> list[Item]:
    """Fifty things in a ring, with the hostile ones between them."""
    plain = [Item(f"sku{n:02}", f"{COLOURS[n % 5]} {WORDS[n // 5]}", kinds(n), f"{5 + n}.50") for n in range(50)]
    for place, (name, title) in enumerate(HOSTILE.items()):
        plain.insert(4 * place + 2, Item(name, title, kinds(place), "1.00"))
    return plain


def kinds(n: int) -> str:
    """Categories of a thing."""
    return f"{'Living room' if n % 2 else 'Bedroom'}|<i>{COLOURS[n % 5]}</i>"


def clicks(seed: int = 5) -> list[tuple[str, str, int]]:
    """Who, what, when: visits in which most clicks go to the next thing in the ring; in the order of time."""
    draw, known, rows = random.Random(seed), items(), []
    for user in range(USERS):
        at = 1_700_000_000 + draw.randrange(86_400 * DAYS)
        for _ in range(VISITS):
            place = draw.randrange(len(known))
            for _ in range(CLICKS):
                rows.append((f"u{user}", known[place].item_id, at))
                place = (place + 1 if draw.random() < 0.8 else draw.randrange(len(known))) % len(known)
                at += draw.randrange(20, 400)
            at += draw.randrange(2 * GAP, 40_000)
    return sorted(rows, key=lambda row: row[2])


def train(folder: Path) -> Path:
    """Write the shop and train a model of it; the model's folder."""
    folder.mkdir()
    with (folder / "clicks.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("user_id", "item_id", "timestamp"), *clicks()])
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([Item._fields, *items()])
    settings = {"model.width": 16, "model.time_gap": "true", "train.threads": 1}
    settings |= {"train.epochs": 10, "train.learning_rate": 0.01, "sessions.gap": GAP, "evaluate.replicates": 100}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    log, table = str(folder / "clicks.csv"), str(folder / "items.csv")
    assert run(["train", log, "--items", table, "--out", str(folder / "model"), *words]) == 0
    return folder / "model"


def visits() -> list[dict[str, Any]]:
    """Events of stored users: `anna` with two visits of many things, `<b>bold</b>/ü` with all that is hostile."""
    known, now = [item.item_id for item in items()], time.time()
    anna = [("anna", known[n], now - 90_000 + 60 * n) for n in range(8)]
    anna += [("anna", known[n], now - 600 + 60 * (n - 20)) for n in range(20, 26)]
    bold = [(HOSTILE_USER, name, now - 900 + place) for place, name in enumerate(HOSTILE)]
    unknown = [("carl", "sku03", now - 300), ("carl", "gone & unknown", now - 200)]
    return [
        {"user_id": user, "item_id": item, "timestamp": round(at, 3), "event_type": "view"}
        for user, item, at in (*anna, *bold, *unknown)
    ]


HOSTILE_USER = "<b>bold</b>/ü"
