"""What training makes small, one loss a file. Dropping a file in here is all it takes to add one."""

from importlib import import_module
from pkgutil import iter_modules

from segue.training.losses.base import LOSSES, Drawn, Loss, Outputs, loss, loss_of

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["LOSSES", "Drawn", "Loss", "Outputs", "loss", "loss_of"]
