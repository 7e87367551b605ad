"""A disk that is full: what is asked for is answered, what cannot be kept is refused, and with room it goes on."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from live_server import STORED, Live, live_server
from segue.serving.events import LiveEvent
from serving_models import ITEMS, engine_of

MOUNTED = 'mount -t tmpfs -o size=3m none "$0" && exec "$@"'
USERS = 3


def may_mount(place: Path) -> bool:
    """Whether a file system of one's own can be had: some systems allow it to everyone, some to nobody."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-Urm", "sh", "-c", MOUNTED, place, "true"], capture_output=True).returncode == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Live, Callable[[], None], Callable[[], None]]]:
    """A server whose store is on a file system of 3 MB, and what fills and empties that."""
    place = folder / "disk"
    place.mkdir()
    if not may_mount(place):
        pytest.skip("this system lets nobody mount: the case with a limit of size covers the rest")
    before = ["unshare", "-Urm", "sh", "-c", MOUNTED, str(place)]
    with live_server(folder, STORED, str(place / "store"), before=before) as live:
        filler = Path(f"/proc/{live.process.pid}/root{place}/filler")

        def fill() -> None:
            with pytest.raises(OSError, match="No space left"):
                filler.write_bytes(b"\0" * 4 * 2**20)

        yield live, fill, filler.unlink


@contextmanager
def small_files(folder: Path) -> Iterator[tuple[Live, Callable[[], None], Callable[[], None]]]:
    """A server that may write no large files, and what takes and gives it that right."""
    with live_server(folder, STORED, str(folder / "store")) as live:

        def limit(size: int) -> None:
            resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        yield live, lambda: limit(2**18), lambda: limit(resource.RLIM_INFINITY)


def call(number: int) -> list[dict[str, Any]]:
    """Events that take room."""
    return [
        {
            "user_id": f"u{place % USERS}",
            "item_id": ITEMS[(number + place) % 8],
            "timestamp": 1000 * number + place,
            "event_id": f"{number} {place} {'x' * 1000}",
        }
        for place in range(60)
    ]


@pytest.mark.parametrize(
    ("disk", "said"),
    [(small_disk, "the disk is full; free some space"), (small_files, "the disk answered with an error")],
)
def test_a_full_disk_costs_no_answered_event_and_no_list_and_needs_no_restart(
    tmp_path: Path, disk: Any, said: str
) -> None:
    with disk(tmp_path) as (live, fill, empty), httpx.Client(base_url=live.address, timeout=60) as client:

        def send(number: int) -> httpx.Response:
            return client.post("/v1/events", json={"events": call(number)})

        assert send(0).status_code == 200
        fill()
        kept, answer = 1, send(1)
        while answer.status_code == 200 and kept < 100:  # what there was of room
            kept, answer = kept + 1, send(kept + 1)
        refused = [answer, send(kept), client.post("/v1/recommend", json={"user_id": "v", "event": {"item_id": "i1"}})]
        for one in refused:
            assert (one.status_code, one.json()["error"]["code"]) == (503, "store_unavailable")
            assert one.headers["retry-after"] == "1"
            assert "may be sent again" in one.json()["error"]["message"]
            assert str(tmp_path) not in one.text
        assert client.get("/health/ready").status_code == 200
        assert client.get("/v1/users/u1").json()["events"] >= 20 * kept
        assert client.post("/v1/recommend", json={"user_id": "u1", "timestamp": 1e6}).status_code == 200
        assert said in live.log()
        empty()
        for number in range(kept + 2):
            again = send(number)
            assert again.status_code == 200
            if number < kept:
                assert all(one["duplicate"] for one in again.json()["results"]), "what was answered is there"
        expected = engine_of()
        for number in range(kept + 2):
            expected.observe([LiveEvent(**event) for event in call(number)])
        for user in (f"u{place}" for place in range(USERS)):
            assert client.get(f"/v1/users/{user}").json()["events"] == 20 * (kept + 2), "and each is there once"
            found = client.post("/v1/recommend", json={"user_id": user, "timestamp": 1e6}).json()["items"]
            items = expected.recommend(user_id=user, timestamp=1e6).items
            assert [(one["item_id"], pytest.approx(one["score"], abs=1e-5)) for one in found] == list(items)
