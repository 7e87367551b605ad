"""A network that is there goes on: new items, new days, and what it must not forget."""
