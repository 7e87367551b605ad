"""The server as a process: it says when it is ready, drains, closes, and refuses a port in use."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from segue.errors import SegueError, StoreError
from segue.serving.store.folder import StoreFolder
from segue.serving.store.memory import MemoryStore
from segue.web.serve import Access, serve
from serving_models import engine_of

SERVER = """
import sys
from serving_models import engine_of
from segue.serving.store.folder import StoreFolder
from segue.web.serve import serve

serve(engine_of(StoreFolder(sys.argv[1]), threads=True), port=0)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_its_address_answers_and_ends_well(tmp_path, number):
    here = Path(__file__).parent
    server = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{here.parent / 'src'}:{here}"},
    )
    with server:
        try:
            greeting = server.stderr.readline()
            assert greeting.startswith("segue serves fading on http://127.0.0.1:")
            address = greeting.split()[-1]
            event = {"user_id": "u", "item_id": "i1"}
            done = httpx.post(f"{address}/v1/events", json={"events": [event]})
            assert done.json()["results"][0]["seq"] == 1
            misled = httpx.get(f"{address}/v1/users", headers={"Host": "evil.example"})
            assert misled.status_code == 421, "another name was made to lead here"
        finally:
            server.send_signal(number)
        output, errors = server.communicate(timeout=10)
    assert (server.returncode, output, errors) == (0, "", "")
    # the write-ahead log was folded in: the store was closed, not dropped
    assert [file.name for file in (tmp_path / "0").iterdir()] == ["shard-0.db"]
    home = StoreFolder(tmp_path)
    assert [event.item_id for event in home.stores[0].history("u")] == ["i1"]
    home.close()


def test_a_port_in_use_is_told_and_the_store_is_closed():
    store = MemoryStore()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SegueError, match=rf"127.0.0.1 port {port} \(Address already in use"):
            serve(engine_of(store), port=port)
    with pytest.raises(StoreError, match="closed"):
        store.load(["u"])


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("192.0.2.1", 0, "Cannot assign requested address"),
        ("no such host", 0, "or choose another host or port"),
        ("127.0.0.1", 70000, "no port 70000; expected 1 to 65535"),
        ("127.0.0.1", -1, "no port -1"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_told(host, port, message):
    with pytest.raises(SegueError, match=message):
        serve(engine_of(), host, port, Access(open=True))
