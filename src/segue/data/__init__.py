"""From a log to batches: reading, cutting into sessions, parting, packing, measuring."""
