"""gBCE: binary cross-entropy whose positive part is bent back by what sampling distorts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from segue.training.losses.comparison import Facts, sampled


@sampled("gbce")
def gbce(own: Tensor, others: Tensor, facts: Facts) -> tuple[Tensor, Tensor, Tensor]:
    """-(b log sigmoid(s_t) + sum_j log(1 - sigmoid(s_j))) / (K + 1),  b = a (t (1 - 1/a) + 1/a),  a = K / (N - 1).

    Petrov & Macdonald 2023 (arXiv:2308.07192), section 4; t is `train.calibration`: 0 is plain binary cross-entropy, 1
    undoes all of the overconfidence that negatives drawn uniformly bring. a is at most 1.
    """
    a = min(1.0, facts.draws / max(1, facts.n_items - 1))
    t = facts.settings.calibration
    b = a * (t * (1 - 1 / a) + 1 / a)
    terms = facts.draws + 1
    against = torch.ops.aten.softplus.out(others, out=facts.space[0]).sum(1, keepdim=True)
    loss = (against - b * F.logsigmoid(own)) / terms
    return loss, b * (torch.sigmoid(own) - 1) / terms, others.sigmoid_().div_(terms)
