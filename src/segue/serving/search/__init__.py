"""The items of a catalog by the words of their titles."""
