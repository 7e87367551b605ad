"""A network over weeks: as it is, updated, and trained anew, each asked for a week before anybody learns it."""
