"""Decision → message. In: templates, a person's words, a decision. Out: what to say, with its headers and tokens.

Knows what is said, not how it is sent: channels are adapters, and so is the key that signs.
"""
