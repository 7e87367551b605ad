"""Recurrent layers, one a file. Dropping a file in here is all it takes to add one."""

from importlib import import_module
from pkgutil import iter_modules

from segue import threads

threads.prepare()

from segue.cells.base import CELLS, Cell, CellState, cell_of, fold  # noqa: E402  (threads first)
from segue.cells.making import new_cell  # noqa: E402

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["CELLS", "Cell", "CellState", "cell_of", "fold", "new_cell"]
