"""TOP1-max: how far the target lies below a soft maximum of the drawn items."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.training.losses.comparison import Facts, sampled


@sampled("top1-max")
def top1_max(own: Tensor, others: Tensor, facts: Facts) -> tuple[Tensor, Tensor, Tensor]:
    """sum_j p_j (f_j + v_j),  f_j = sigmoid(s_j - s_t),  v_j = sigmoid(s_j^2),  p = softmax over the drawn.

    Hidasi & Karatzoglou 2018 (arXiv:1706.03847), section 3.2. Derivatives, with L the loss: by s_t:
    -sum_j p_j f_j (1 - f_j); by s_j: p_j (f_j + v_j - L + f_j (1 - f_j) + 2 s_j v_j (1 - v_j)).
    """
    first, second, third, fourth, fifth = facts.space
    p = torch.softmax(others, 1, out=first)
    f = torch.sub(others, own, out=second).sigmoid_()
    v = torch.mul(others, others, out=third).sigmoid_()
    steep = torch.addcmul(f, f, f, value=-1, out=fourth)
    by_own = -torch.mul(p, steep, out=fifth).sum(1, keepdim=True)
    value = f.add_(v)
    loss = torch.mul(p, value, out=fifth).sum(1, keepdim=True)
    from_v = torch.addcmul(v, v, v, value=-1, out=fifth).mul_(others).mul_(2)
    return loss, by_own, p.mul_(value.add_(steep).add_(from_v).sub_(loss))
