"""Metrics, losses and cells of one's own: a Python file that makes them known.

A file is imported because the person at the command line named it (`--import FILE.py`), and never because a model says
so: a model only tells the name of the file that it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import extract_tb
from typing import Any

from segue.errors import ConfigError, SegueError

OURS = "segue"


def import_file(file: Path) -> None:
    """Run a Python file, so that what it defines registers itself; one that was run already is left alone.

    Raises:
        ConfigError: there is no such file, or it fails: with its line.
    """
    path = file.expanduser().resolve()
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"--import {file}: there is no such Python file; expected the path of a .py file")
    name = f"own_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return
    if known is not None:
        raise ConfigError(f"--import {file}: {known.__file__} is imported under this name; rename one of the two files")
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]  # once it is mended, it may be imported again
        if not isinstance(error, (Exception, SystemExit)):
            raise
        raise ConfigError(f"--import {file}{line_of(error, path)}: {told(error)}") from error


def line_of(error: BaseException, path: Path) -> str:
    """Where in a file an error came about, as far as it did there."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def line_in(error: BaseException, function: Callable[..., Any]) -> str:
    """The line in the file of a function where an error came about, as far as it did there."""
    code = getattr(function, "__code__", None)
    return "" if code is None else line_of(error, Path(code.co_filename))


def told(error: BaseException) -> str:
    """An error in words."""
    if isinstance(error, SegueError):
        return str(error)
    if isinstance(error, SyntaxError):
        code = f": `{error.text.strip()}`" if error.text else ""
        return f"{type(error).__name__}: {error.msg}{code}"
    if isinstance(error, ModuleNotFoundError):
        return f"it imports `{error.name}`, which is not installed"
    return f"{type(error).__name__}: {error}"


def own_file(part: Callable[..., Any]) -> str:
    """The name of the file that a function or a class is from; "" for one that came with segue."""
    module = part.__module__
    if module.partition(".")[0] == OURS:
        return ""
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).name if file else module


def same_place(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether a part of one's own is defined anew, by a notebook or a file that was mended, and not by another."""
    places = {(part.__module__, part.__qualname__) for part in (one, other)}
    return len(places) == 1 and bool(own_file(one))
