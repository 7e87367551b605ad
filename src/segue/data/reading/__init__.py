"""From files, frames and standard input to checked columns: what `read_log` and `read_items` are made of."""
