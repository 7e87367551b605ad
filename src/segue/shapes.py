"""Names for array types.

Letters in docstrings: B rows, T events along time, D width, H hidden width, N items, C candidates, K list length,
E events of a log, U users, S sequences, P predictions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
