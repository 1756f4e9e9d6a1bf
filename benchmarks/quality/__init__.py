"""Figures on public data by published protocols, beside the published ones."""
