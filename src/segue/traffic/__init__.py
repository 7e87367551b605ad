"""Traffic: clients that put a server under load, or send it a log, and say how it answered."""
