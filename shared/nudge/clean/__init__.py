"""Records become events: types, one row a fact, a reason for each reject, counts that reconcile.

In: the bytes of one chunk. Out: typed, deduplicated rows by day as Parquet bytes, rejects, counts.
It refuses to know a store, a profile, a clock, and which other chunks there are.
"""
