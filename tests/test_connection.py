"""A client's connection: what is no HTTP, what has no end, and who is slow."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from live_server import FADING, Live, live_server
from segue.web.messages import MAX_BODY_BYTES
from segue.web.whole import Whole

IMPATIENT = (
    "from segue.web import connection, decoding\nconnection.REQUEST_SECONDS = 2.0\ndecoding.BODY_SECONDS = 1.0\n"
)
OPEN = FADING.replace("port=0", "port=0, access=Access(open=True)").replace("import serve\n", "import Access, serve\n")
BODY = b'{"user_id": "u"}'
POST = b"POST /v1/recommend HTTP/1.1\r\nHost: x\r\n"
WHOLE = POST + b"Content-Length: 16\r\n\r\n" + BODY
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("server"), IMPATIENT + OPEN) as server:
        yield server
        log = server.log()
    assert "Traceback" not in log
    assert '"level":"error"' not in log


@contextmanager
def connected(live: Live) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", live.port)) as opened:
        opened.settimeout(60)
        yield opened


def received(connection: socket.socket, answers: int | None = None) -> tuple[list[int], bytes]:
    """Statuses and text of so many answers, or of all until the server ends the connection."""
    text = b""
    while answers is None or whole(text) < answers:
        try:
            data = connection.recv(2**16)
        except ConnectionError:
            break
        if not data:
            break
        text += data
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", text)], text


def whole(text: bytes) -> int:
    """How many answers are there whole."""
    count = 0
    while b"\r\n\r\n" in text:
        head, _, text = text.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        length = 0 if found is None else int(found[1])
        count, text = count + (len(text) >= length), text[length:]
    return count


def flood(connection: socket.socket, piece: bytes, pieces: int) -> None:
    """Send pieces as long as they are taken."""
    for _ in range(pieces):
        connection.sendall(piece)


def path(sent: bytes, method: bytes = b"GET", host: bytes = b"x") -> bytes:
    return method + b" " + sent + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


ENDED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "no path": b"GET\r\n\r\n",
    "an empty path": path(b""),
    "no such version": b"GET / HTTP/3.7\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no such method": path(b"/health/live", b"BREW"),
    "a tunnel": path(b"a:80", b"CONNECT"),
    "NUL in the path": path(b"/v1/users/a\0b"),
    "bytes in the path": path(b"/v1/users/\xff"),
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "a bare return in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: a\rb\r\n\r\n",
    "a folded header": POST + b"A: a\r\n b\r\nContent-Length: 16\r\n\r\n" + BODY,
    "a blank before the colon": POST + b"Content-Length : 16\r\n\r\n" + BODY,
    "another host without a path": path(b"http://other"),
    "a length of less than nothing": POST + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length that is none": POST + b"Content-Length: +16\r\n\r\n" + BODY,
    "a length beyond numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + BODY,
    "two lengths": POST + b"Content-Length: 16\r\nContent-Length: 4\r\n\r\n" + BODY,
    "length and pieces": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET,
    "pieces and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + GET,
    "no such encoding": POST + b"Transfer-Encoding: gzip\r\n\r\n" + BODY,
    "a piece of no size": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY,
}


@pytest.mark.parametrize("sent", ENDED.values(), ids=ENDED)
def test_what_is_no_http_is_answered_once_and_ended(live: Live, sent: bytes) -> None:
    with connected(live) as connection:
        connection.sendall(sent)
        statuses, text = received(connection)
    assert statuses == [400], "nothing that is hidden behind it is answered"
    assert json.loads(text.partition(b"\r\n\r\n")[2])["error"]["code"] == "malformed_http"


ANSWERED = {
    "HTTP/1.0": (b"GET /health/live HTTP/1.0\r\n\r\n", 200),
    "no host": (b"GET /health/live HTTP/1.1\r\n\r\n", 200),
    "another host": (path(b"http://other/health/live"), 200),
    "a host with no such port": (path(b"/nope", host=b"x:99999999"), 404),
    "a host that is none": (path(b"/nope", host=b"[::"), 404),
    "a host of bytes": (path(b"/nope", host=b"\xff"), 400),
    "a star": (path(b"*", b"OPTIONS"), 404),
    "another method": (path(b"/health/live", b"TRACE"), 405),
    "a tunnel to a route": (path(b"/health/live", b"CONNECT"), 405),
    "dots": (path(b"/health/../v1/users/u"), 404),
    "a wrong escape": (path(b"/v1/users/%zz"), 200),
    "half of a pair": (path(b"/v1/users/%ed%a0%80"), 400),
    "an odd query": (path(b"/v1/users/u?%ff=%zz&&="), 200),
    "a form": (WHOLE.replace(b"Host: x", b"Content-Type: multipart/form-data; boundary=x"), 200),
    "no such type": (WHOLE.replace(b"Host: x", b"Content-Type: \xff;;=charset"), 200),
    "in pieces": (POST + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n0\r\n\r\n", 200),
    "a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n0\r\nA: b\r\n\r\n", 200),
    "a web socket": (GET.replace(b"Host: x", b"Connection: Upgrade\r\nUpgrade: websocket"), 200),
    "a web socket and an end": (GET.replace(b"Host: x", b"Connection: close, Upgrade\r\nUpgrade: websocket"), 200),
    "HTTP/2 offered": (WHOLE.replace(b"Host: x", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c"), 200),
}


@pytest.mark.parametrize(("sent", "status"), ANSWERED.values(), ids=ANSWERED)
def test_what_is_odd_is_answered_and_so_is_what_comes_after(live: Live, sent: bytes, status: int) -> None:
    with connected(live) as connection:
        connection.sendall(sent)
        statuses, text = received(connection, answers=1)
        assert statuses == [status]
        assert b"connection: close" in text or b"close" not in sent
        if b"connection: close" not in text:
            connection.sendall(GET)
            assert received(connection, answers=1)[0] == [200]


def test_requests_sent_ahead_are_answered_in_their_order(live: Live) -> None:
    with connected(live) as connection:
        connection.sendall((GET + WHOLE + path(b"/nope")) * 30)
        statuses, _ = received(connection, answers=90)
    assert statuses == [200, 200, 404] * 30


def test_offers_to_switch_sent_ahead_are_read_past_one_by_one(live: Live) -> None:
    offer = GET.replace(b"Host: x", b"Connection: Upgrade\r\nUpgrade: h2c")
    with connected(live) as connection:
        connection.sendall(offer * 900)
        assert received(connection, answers=900)[0] == [200] * 900
        connection.sendall(GET)
        assert received(connection, answers=1)[0] == [200]


@pytest.mark.parametrize("garbage", ["no HTTP", "a piece of no size"])
def test_what_came_before_garbage_is_answered_first(live: Live, garbage: str) -> None:
    with connected(live) as connection:
        connection.sendall((WHOLE + path(b"/nope")) * 2 + ENDED[garbage])
        statuses, text = received(connection)
    assert statuses == [200, 404, 200, 404, 400]
    assert json.loads(text.rpartition(b"\r\n\r\n")[2])["error"]["code"] == "malformed_http"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 10**6,
        b"GET / HTTP/1.1\r\nA: " + b"a" * 10**6,
        b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 2 * 10**5,
    ],
    ids=["a path", "a header", "headers"],
)
def test_a_head_without_end_is_refused(live: Live, sent: bytes) -> None:
    with connected(live) as connection:
        try:
            connection.sendall(sent)
        except ConnectionError:
            return  # ended while it was sent
        assert received(connection)[0] in ([431], [])


@pytest.mark.parametrize("head", [b"Content-Length: %d\r\n\r\n" % 10**10, b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_body_without_end_is_refused_and_ended(live: Live, head: bytes) -> None:
    piece = b"10000\r\n" + b" " * 2**16 + b"\r\n" if b"chunked" in head else b" " * 2**16
    with connected(live) as connection:
        connection.sendall(POST + head)
        with pytest.raises(ConnectionError):
            flood(connection, piece, 64 * MAX_BODY_BYTES // len(piece))
    assert httpx.get(f"{live.address}/health/live").status_code == 200


@pytest.mark.parametrize(("sent", "status"), [(b"GET /health", 408), (b"POST /v1/rec", 408), (b"", None)])
def test_a_head_a_byte_at_a_time_is_not_waited_for(live: Live, sent: bytes, status: int | None) -> None:
    with connected(live) as slow, httpx.Client(base_url=live.address, timeout=60) as other:
        for place in range(len(sent)):
            slow.sendall(sent[place : place + 1])
            assert other.post("/v1/recommend", json={"user_id": "v"}).status_code == 200, "others are answered"
        assert received(slow)[0] == ([] if status is None else [status])


def test_a_body_a_byte_at_a_time_is_not_waited_for(live: Live) -> None:
    with connected(live) as slow, httpx.Client(base_url=live.address, timeout=60) as other:
        slow.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        slow.settimeout(0.05)
        text = b""
        try:
            for _ in range(1000):
                slow.sendall(b" ")
                assert other.post("/v1/recommend", json={"user_id": "v"}).status_code == 200, "others are answered"
                try:
                    text += (data := slow.recv(2**16))
                except TimeoutError:
                    continue
                if not data:
                    break
            else:
                pytest.fail("it was never ended")
        except ConnectionError:
            pass
    assert b"HTTP/1.1 408 " in text
    assert b'"slow_body"' in text


def test_one_who_goes_in_the_middle_of_a_body_is_no_failure(live: Live) -> None:
    with connected(live) as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n{")
    with httpx.Client(base_url=live.address, timeout=60) as other:
        assert other.get("/health/live").status_code == 200
        assert 'status="500"' not in other.get("/metrics").text


def test_one_who_fetches_no_answers_is_ended(live: Live) -> None:
    with connected(live) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(ConnectionError):
            flood(connection, path(b"/schema/page.js") * 20, 10**6)


def test_a_request_in_hand_is_answered_when_the_server_is_told_to_end(tmp_path: Path) -> None:
    with live_server(tmp_path, OPEN) as server, connected(server) as idle, connected(server) as connection:
        idle.sendall(GET)
        assert received(idle, answers=1)[0] == [200]
        connection.sendall(POST + b"Content-Length: 16\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(2**16).startswith(b"HTTP/1.1 100 "), "it is in hand"
        server.process.terminate()
        assert received(idle) == ([], b""), "what is idle is ended"
        connection.sendall(BODY)
        statuses, text = received(connection)
    assert statuses == [200]
    assert b"connection: close" in text


class Sent:
    """What a transport was given."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.mark.parametrize(
    ("written", "calls"),
    [
        (["head", "body"], ["headbody"]),
        (["head", "part", "part"], ["headpart", "part"]),
        (["head"], ["head"]),
        (["head", ""], ["head"]),
        (["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK", "body"], ["HTTP/1.1 100 Continue", "HTTP/1.1 200 OKbody"]),
    ],
)
@pytest.mark.parametrize("ended", ["flush", "close"])
def test_the_head_of_an_answer_goes_with_the_first_of_its_body(
    written: list[str], calls: list[str], ended: str
) -> None:
    sent = Sent()
    answer = Whole(sent)  # type: ignore[arg-type]
    for part in written:
        answer.write(part.encode())
    getattr(answer, ended)()
    assert sent.calls == [part.encode() for part in calls]
    assert sent.closed == answer.is_closing() == (ended == "close")


@pytest.mark.parametrize(("path", "status"), [("/health/live", 200), ("/v1/users/u", 200), ("/nowhere", 404)])
def test_an_answer_comes_whole_and_to_a_head_request_without_its_body(live: Live, path: str, status: int) -> None:
    with connected(live) as connection:
        for method in ("GET", "HEAD", "GET"):
            connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head, _, body = connection.recv(2**16).partition(b"\r\n\r\n")  # a single packet holds all of it
            assert head.startswith(f"HTTP/1.1 {status} ".encode())
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            assert (method, len(body)) in (("HEAD", 0), ("GET", int(length[1])))


def test_one_who_waits_to_be_told_to_go_on_is_told(live: Live) -> None:
    with connected(live) as connection:
        connection.sendall(POST + b"Content-Length: 16\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert received(connection, 1)[0] == [200]
