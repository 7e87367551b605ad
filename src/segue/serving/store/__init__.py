"""Stores of events and states: in memory, in SQLite."""
