"""The HTTP server over an engine."""
