"""The parts of a report, each a function from what is known to an element."""
