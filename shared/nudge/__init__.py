"""Nudge: intelligent marketing automation as a bundle of serverless functions.

The arrows: doors → flows → ports and rooms → vocabulary. Start reading in `flows/`.
"""
