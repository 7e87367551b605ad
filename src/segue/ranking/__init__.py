"""From scores to lists and ranks: validation, every metric and the server call the same two functions."""

from segue.ranking.top_k import NEVER, Exclusions, mask, rank_of, rows_within, top_k

__all__ = ["NEVER", "Exclusions", "mask", "rank_of", "rows_within", "top_k"]
