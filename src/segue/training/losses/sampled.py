"""Softmax over the target and a sample of the catalog, corrected for how it was drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.training.losses.comparison import Facts, sampled


@sampled("sampled", corrected=True)
def sampled_softmax(own: Tensor, others: Tensor, _: Facts) -> tuple[Tensor, Tensor, Tensor]:
    """log(exp(s_t) + sum_j exp(s_j - log(K q_j))) - s_t.

    The logQ correction (Bengio & Senécal 2008; Yi et al. 2019, section 4) makes the sampled sum an estimate of the sum
    over the catalog; the target's own score is left alone, since it is always there.
    """
    total = torch.logaddexp(own, others.logsumexp(1, keepdim=True))
    return total - own, (own - total).exp() - 1, others.sub_(total).exp_()
