"""What a creator's works say: figures, buckets, samples, comparisons. Pure functions; no I/O, no platform by name."""
