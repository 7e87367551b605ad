"""The core of a network that has learned starts another catalog: transfer."""
