"""From a log to a live answer, on MovieLens-100k: fetch, train, compare, recommend by title, serve, ask.

make demo               stays up until Ctrl-C
make demo ARGS=--once   ends by itself
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import segue
from segue import api
from segue.cli.show import print_report, print_table, progress, say
from segue.data.datasets import movielens_100k

FOLDER = Path("demo-model")
STORE = Path("demo-store")
HISTORY = ("Star Wars", "Empire Strikes Back, The", "Return of the Jedi", "Raiders of the Lost Ark")
SETTINGS = {"train.epochs": 8}


def main() -> None:
    started = time.monotonic()
    data = movielens_100k(say)
    plan = api.prepare([str(data.log)], items=str(data.items), settings=SETTINGS)
    with progress() as show:
        recommender = api.train(plan, "gru", FOLDER, overwrite=True, say=say, show=show)
    print_report(recommender.trained_report)

    history = [find(recommender, title) for title in HISTORY]
    titles = [recommender.bundle.title_of(item) for item in history]
    print(f"\nAfter {', '.join(map(str, titles))}:")
    found = recommender.recommend(items=history, k=10)
    print_table(
        ["rank", "item_id", "title", "score"],
        [[str(f.rank), f.item_id, f.title or "", f"{f.score:.3f}"] for f in found],
    )
    live(history, started, once="--once" in sys.argv)


def live(history: list[str], started: float, *, once: bool) -> None:
    """Serve the model, let `you` do what the history says, ask what comes next, and stay until Ctrl-C unless once."""
    command = [sys.executable, "-m", "segue", "serve", str(FOLDER), "--store", str(STORE), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = where(server)
            now = time.time()
            events = [
                {"user_id": "you", "item_id": item, "timestamp": now + place, "event_id": f"{now}-{place}"}
                for place, item in enumerate(history)
            ]
            ask(f"{address}/v1/events", {"events": events})
            answer = ask(f"{address}/v1/recommend", {"user_id": "you", "k": 5})
            print(f"The server at {address} answers the same user, whose events it has stored:")
            for item in answer["items"]:
                print(f"  {item['rank']}. {item['title']}  ({item['score']:.3f})")
            print(f"\nThe model is in {FOLDER.resolve()} (its card: {FOLDER}/README.md).")
            print(f"From nothing to a live answer in {time.monotonic() - started:.0f} s.")
            if not once:
                print(f'It answers programs:  curl {address}/v1/recommend --json \'{{"user_id": "you", "k": 5}}\'')
                print(f"and people, until Ctrl-C:  {address}/#play?user=you", flush=True)
                threading.Thread(target=relay, args=(server,), daemon=True).start()
                while server.poll() is None:  # sleeping, because where polars is imported Ctrl-C ends no other waiting
                    time.sleep(0.1)
                raise SystemExit(f"the server ended (exit status {server.returncode})")
        except KeyboardInterrupt:
            # a terminal has told the server as well, and a second signal would cut it short
            with suppress(subprocess.TimeoutExpired):
                server.wait(2)
        finally:
            server.terminate()
            server.wait()


def find(recommender: segue.Recommender, title: str) -> str:
    """The id of the film whose title begins so."""
    titles = recommender.artifact.catalog.columns["title"]
    return recommender.bundle.item_ids[
        next(place for place, known in enumerate(titles) if str(known).startswith(title))
    ]


def where(server: subprocess.Popen[str]) -> str:
    """The address that the server names once it is ready."""
    assert server.stderr is not None
    for line in server.stderr:
        if " on http" in line:
            return line.split(" on ")[1].strip()
    raise SystemExit(f"the server did not start (exit status {server.wait()})")


def relay(server: subprocess.Popen[str]) -> None:
    """Show what the server complains of, until it ends."""
    assert server.stderr is not None
    for line in server.stderr:
        if '"level":"info"' not in line:
            print(line, end="", file=sys.stderr)


def ask(address: str, body: dict[str, object]) -> dict[str, list[dict[str, object]]]:
    """POST a body as JSON."""
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
