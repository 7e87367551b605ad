"""Rules: what a list must and should look like, whatever the model says. `docs/rules.md` has their order.

given       as they are written
facts       what they are told of the items
binding     names become items
limits      what may be answered at all
placing     pins, and what is kept apart
reasons     why a list is short
"""

from segue.ranking.rules.binding import bind
from segue.ranking.rules.bound import Bound, joined
from segue.ranking.rules.facts import Facts
from segue.ranking.rules.given import Rules, check_rules, names_in
from segue.ranking.rules.limits import Limits
from segue.ranking.rules.placing import arrange
from segue.ranking.rules.reasons import Reason, Short, UnmetPin

__all__ = [
    "Bound",
    "Facts",
    "Limits",
    "Reason",
    "Rules",
    "Short",
    "UnmetPin",
    "arrange",
    "bind",
    "check_rules",
    "joined",
    "names_in",
]
