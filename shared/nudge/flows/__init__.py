"""The stories, one page a door: what happens, in order, told with rooms and ports.

In: what a door received, and ports. Out: what a door answers. Knows no AWS, no clock and no environment.
"""
