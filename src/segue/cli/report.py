"""`--report FILE`: a report that can be mailed, which names the command that made it."""

from __future__ import annotations

import shlex
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segue.cli.options import GIVEN
from segue.cli.show import say

if TYPE_CHECKING:
    from segue.reporting.file import Mail

TYPED: ContextVar[tuple[str, ...]] = ContextVar("TYPED", default=())
"""The words of the command that runs."""

ReportFile = Annotated[
    Path | None, Parameter(help="An .html file for a report in words and pictures, complete in itself."), GIVEN
]


def mailed(file: Path | None) -> Mail | None:
    """Where a report goes. Raises ConfigError, before any work, for a file that could not be written."""
    if file is None:
        return None
    from segue.reporting.file import Mail

    return Mail.to(Mail(file, shlex.join(["segue", *TYPED.get()])))


def say_mailed(mail: Mail | None) -> None:
    """Say where it is."""
    if mail is not None:
        say(f"the report is in {mail.file}")
