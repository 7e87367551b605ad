"""Serving: keep the events and a state a user, advance it by each event, answer from it."""
