"""Claims, measured: `speed/` side by side in one run, `quality/` by published protocols."""
