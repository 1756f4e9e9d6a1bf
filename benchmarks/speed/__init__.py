"""Ratios against plain code as the field writes it; each side in fresh processes, interleaved, medians."""
