"""Before anything is imported: one thread for each numerical library, since two cores are shared."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)
# A busy machine makes single examples slow: time is not what these tests are about.
settings.register_profile("segue", deadline=None, max_examples=60)
settings.load_profile("segue")
