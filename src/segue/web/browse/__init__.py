"""Routes for one who looks around: items by their words, users and what they did, what may be asked for."""
