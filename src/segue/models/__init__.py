"""Everything that can score the catalog after an event."""
