"""Columns of a table as numbers: what a network can read of an item, or of an event, besides who and what."""

from segue.data.encoding.base import Encoder, Sparse
from segue.data.encoding.guess import KINDS, kind_for
from segue.data.encoding.table import Content, TableEncoder

__all__ = ["KINDS", "Content", "Encoder", "Sparse", "TableEncoder", "kind_for"]
