"""Softmax over the target and a sample of the catalog, corrected for how it was drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.training.losses.comparison import Facts, sampled


@sampled("sampled", corrected=True)
def sampled_softmax(own: Tensor, others: Tensor, facts: Facts) -> tuple[Tensor, Tensor, Tensor]:
    """log(exp(s_t) + sum_j exp(s_j - log(K q_j))) - s_t.

    The logQ correction (Bengio & Senécal 2008; Yi et al. 2019, section 4) makes the sampled sum an estimate of the sum
    over the catalog; the target's own score is left alone, since it is always there.
    """
    highest = others.amax(1, keepdim=True)
    e = torch.sub(others, highest, out=facts.space[0]).exp_()
    total = torch.logaddexp(own, highest + e.sum(1, keepdim=True).log())
    return total - own, (own - total).exp() - 1, e.mul_((highest - total).exp())
