"""Bytes and requests become records: formats, dialects, cuts at record boundaries, column names, the Segment spec.

In: first bytes, blocks, headers, JSON messages. Out: what a file is, where it may be cut, rows in our columns.
It refuses to know a store, a queue, a type of a value beyond its spelling, and every library that is not standard.
"""
