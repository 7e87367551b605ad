"""A server that is killed loses nothing that it acknowledged."""

import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from segue.errors import StoreError
from segue.serving.engine import Engine
from segue.serving.fold import refold
from segue.serving.store.sqlite import SqliteStore
from serving_models import assert_same_memory, fading_bundle

WRITER = """
import itertools, sys
from serving_models import ITEMS, engine_of
from segue.serving.events import LiveEvent
from segue.serving.store.sqlite import SqliteStore

engine = engine_of(SqliteStore(sys.argv[1]))
for n in itertools.count():
    events = [LiveEvent(f"u{(n + j) % 3}", ITEMS[(n * 5 + j) % 8], float(n)) for j in range(4)]
    for event, observed in zip(events, engine.observe(events)):
        print(event.user_id, observed.seq, event.item_id, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 50, 333])
def test_a_killed_writer_loses_no_acknowledged_event(tmp_path, acknowledged):
    here = Path(__file__).parent
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{here.parent / 'src'}:{here}"},
    )
    with writer:
        try:
            lines = [writer.stdout.readline() for _ in range(acknowledged)]
            with pytest.raises(StoreError, match=rf"in use \(process {writer.pid}\)"):
                SqliteStore(tmp_path)
        finally:
            writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()

    items = defaultdict(list)
    for user_id, seq, item_id in (line.split() for line in lines if line.endswith("\n")):
        items[user_id].append(item_id)
        assert int(seq) == len(items[user_id])
    store = SqliteStore(tmp_path)
    assert sum(map(len, items.values())) >= acknowledged
    for user_id, acknowledged_items in items.items():
        history = store.history(user_id)
        assert [event.seq for event in history] == list(range(1, len(history) + 1))
        assert [event.item_id for event in history][: len(acknowledged_items)] == acknowledged_items
        assert_same_memory(store.load(user_id), refold(fading_bundle(), history))
    # a call is stored whole or not at all
    assert sum(len(store.history(f"u{n}")) for n in range(3)) % 4 == 0
    Engine(fading_bundle(), store).close()
