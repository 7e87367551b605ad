"""Choose settings for a log by trying some, on the validation part alone."""
