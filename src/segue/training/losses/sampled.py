"""Softmax over the target and a shared sample of the catalog, corrected for how it was drawn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from segue.training.losses.base import Outputs, loss


@loss("sampled")
def sampled_softmax(outputs: Outputs) -> Tensor:
    """-log softmax at the target over {target} and K negatives shared by the window, mean over P.

    The logQ correction (Bengio & Senécal 2008; Yi et al. 2019, section 4) takes log(K q_i) from the logit of a
    negative drawn with probability q_i, so that the sampled sum estimates the sum over the catalog; the target's
    own logit is left alone, since it is always there. A negative that equals a row's target is taken out of that row.
    """
    drawn = outputs.negatives.draw(outputs.draws, outputs.generator)
    vectors = F.embedding(torch.cat([outputs.target, drawn]), outputs.table)
    P = len(outputs.target)
    own = (outputs.query * vectors[:P]).sum(1) + outputs.bias[outputs.target]
    correction = outputs.negatives.log_probability[drawn] + torch.log(torch.tensor(float(outputs.draws)))
    others = outputs.query @ vectors[P:].T + (outputs.bias[drawn] - correction)
    others = others.masked_fill(outputs.target.unsqueeze(1) == drawn, float("-inf"))
    total = torch.logaddexp(own, others.logsumexp(1))
    return (total - own).mean()
