"""Privacy: users taken out of stores, logs and what models keep, and what then remains of them."""

from segue.forgetting.answer import Forgotten, InLog, InModel, InStore
from segue.forgetting.everywhere import forget

__all__ = ["Forgotten", "InLog", "InModel", "InStore", "forget"]
