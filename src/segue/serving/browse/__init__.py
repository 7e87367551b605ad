"""What a person who looks around is shown: items by their words, users, what they did, what may be asked for."""
