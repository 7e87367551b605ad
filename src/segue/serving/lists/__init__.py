"""From a state to a list: what may be answered, scores, rules, diversity, what fills it, and why."""
