"""`segue rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def command(home: Annotated[Path, Parameter(help="The folder of versions.")], /) -> None:
    """Have the version before served again, without a stop."""
    from segue.artifact.home import roll_back
    from segue.cli.show import say

    say(f"{home}: version {roll_back(home).version} is served again")
