"""A store in a Valkey server, which several processes may share."""
