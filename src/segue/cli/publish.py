"""`segue publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import Folder


def command(
    folder: Folder,
    home: Annotated[Path, Parameter(help="The folder of versions, for `segue serve`; made if it is not there.")],
    /,
    *,
    keep: Annotated[int, Parameter(help="How many earlier versions stay, to roll back to.")] = 3,
) -> None:
    """Have a model served, without a stop, by the server of a folder of versions. A broken one is refused."""
    from segue.artifact.home import publish, strange
    from segue.cli.show import say

    current = publish(folder, home, kept=keep)
    say(
        f"{home}: version {current.version} is served" + (f", before it {current.before[-1]}" if current.before else "")
    )
    if note := strange(home, current):
        say(f"note: {note}")
