"""`windlass up`: supervises a whole installation on one machine."""
