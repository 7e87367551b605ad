"""The report that can be mailed: one HTML file that says in words what was found, and shows what that stands on.

A layer above evaluation, whose tables it reads, and below whoever trains or answers: `evidence` asks a table for what
it was made from, `traps` looks at the log, `verdict` puts it into words, `sections` makes elements of it, and `file`
writes it. Elements are built, never pasted (`markup`): whatever a title holds is text.
"""
