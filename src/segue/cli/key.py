"""`segue key`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def command(
    file: Annotated[Path, Parameter(help="The file of keys, for `segue serve --keys`.")],
    /,
    *,
    name: Annotated[str, Parameter(help="What people and logs call it.")],
    rate: Annotated[float | None, Parameter(help="Requests a second. By default without a bound.")] = None,
) -> None:
    """Make a key for a server: it is printed this once, and the file keeps its hash."""
    from segue.cli.show import say
    from segue.web.keys import add_key

    print(add_key(file, name, rate))
    say(f"{file} has its hash. Send it as `Authorization: Bearer KEY`")
