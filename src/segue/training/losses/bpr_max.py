"""BPR-max: the target against a soft maximum of the drawn items."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.training.losses.comparison import Facts, sampled


@sampled("bpr-max")
def bpr_max(own: Tensor, others: Tensor, facts: Facts) -> tuple[Tensor, Tensor, Tensor]:
    """-log A + c R,  A = sum_j p_j g_j,  g_j = sigmoid(s_t - s_j),  R = sum_j p_j s_j^2,  p = softmax over the drawn.

    Hidasi & Karatzoglou 2018 (arXiv:1706.03847), section 3.3, with its score regularisation; c is
    `train.score_penalty`. Derivatives, by s_t: sum_j p_j g_j (g_j - 1) / A; by s_j:
    p_j (1 - g_j^2 / A) + c p_j (s_j^2 + 2 s_j - R).
    """
    c, (first, second, third) = facts.settings.score_penalty, facts.space[:3]
    highest = others.amax(1, keepdim=True)
    p = torch.sub(others, highest, out=first).exp_()
    # exp(s_j - s_t) from the exponential at hand; past e^60 the sigmoid is 0 for all that float32 can tell.
    g = torch.mul(p, (highest - own).clamp_(max=60).exp_(), out=second).add_(1).reciprocal_()
    p.div_(p.sum(1, keepdim=True))
    pg = torch.mul(p, g, out=third)
    A = pg.sum(1, keepdim=True)
    pgg = pg.mul_(g)
    by_own = pgg.sum(1, keepdim=True) / A - 1
    ps = torch.mul(p, others, out=second)
    pss = others.mul_(ps)
    R = pss.sum(1, keepdim=True)
    by_others = pss.add_(ps, alpha=2).mul_(c).addcmul_(p, 1 - c * R).addcmul_(pgg, 1 / A, value=-1)
    return c * R - A.log(), by_own, by_others
