"""The console's page: what a browser is given, and the words it says.

In: the name of a file. Out: its body, with headers that say how long it may be kept. It holds no data and knows no store.
"""
