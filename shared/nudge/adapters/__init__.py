"""What the flows need, made of AWS, or of this process's memory.

In: a client and names. Out: the ports of `nudge.ports`, with their errors. Knows no rule of the business.
"""
