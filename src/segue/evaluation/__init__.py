"""Replay a log in time order and say how good a model is."""
