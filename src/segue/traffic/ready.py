"""Which model a server serves."""

from __future__ import annotations

import asyncio

import msgspec
from msgspec import Struct

from segue.errors import SegueError
from segue.traffic.pool import Pool
from segue.traffic.target import Target, request

SECONDS = 30.0


class Ready(Struct):
    """What `/health/ready` says."""

    name: str
    version: str


async def check_model(target: Target, version: str) -> None:
    """Raise SegueError where a server cannot be reached or serves another model."""
    pool = Pool(target, 1)
    told: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
    try:
        await pool.warm(1)
        pool.ask(request(target.before("/health/ready", "GET"), b""), lambda *answer: told.set_result(answer))
        status, content = await asyncio.wait_for(told, SECONDS)
    except (OSError, TimeoutError) as error:
        raise target.silent(error if isinstance(error, OSError) else OSError("no answer")) from None
    finally:
        told.cancel()
        await pool.close()
    try:
        found = msgspec.json.decode(content, type=Ready)
    except msgspec.MsgspecError:
        raise SegueError(f"{target.url} answered {status} to /health/ready; expected a running `segue serve`") from None
    if found.version != version:
        raise SegueError(
            f"{target.url} serves {found.name} of version {found.version}, the folder holds {version}: give the folder "
            "that it serves"
        )
