"""The command line: each command one library call. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError
from rich.console import Console

from segue import __version__
from segue.cli import (
    ablate,
    backfill,
    compare,
    evaluate,
    finetune,
    forget,
    frontier,
    inspect,
    key,
    pack,
    publish,
    recommend,
    replay,
    rollback,
    serve,
    similar,
    store,
    stress,
    train,
    tune,
    update,
)
from segue.cli.report import TYPED
from segue.errors import SegueError

USAGE = 2
INTERRUPTED = 130

EXTRAS = {
    **dict.fromkeys(("torch", "polars", "onnx", "onnxscript"), "train"),
    **dict.fromkeys(("onnxruntime", "faiss", "litestar", "prometheus_client", "uvicorn"), "serve"),
    "optuna": "tune",
    "valkey": "valkey",
}
"""Which part of segue brings a package that is loaded when it is needed."""

app = App(
    name="segue",
    help='Turn an interaction log into a live "what next?" recommender, and see how good it is.',
    version=__version__,
    default_parameter=None,
    error_console=Console(stderr=True),
    suppress_keyboard_interrupt=False,  # it would leave without a word
)
for module in (
    inspect,
    pack,
    train,
    tune,
    ablate,
    finetune,
    update,
    evaluate,
    frontier,
    compare,
    recommend,
    similar,
    serve,
    publish,
    rollback,
    key,
    backfill,
    replay,
    stress,
    forget,
):
    app.command(module.command, name=module.__name__.rpartition(".")[2])
app.command(store.app)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave: 0 done, 1 it failed, 2 asked wrongly, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run a command; the exit status."""
    TYPED.set(tuple(arguments))
    try:
        app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return USAGE
    except SegueError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(f"error: this needs {error.name}, which is not installed: pip install 'segue[{extra}]'", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (such as `head`) has gone; what Python would still flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as leaving:  # --help and --version
        return int(leaving.code or 0)
    return 0
