"""Learning a model from a log."""
