"""Ends with exit code 3 right after its start, as an app does that misses its configuration."""

import sys

print("DATABASE_URL is not set.", file=sys.stderr, flush=True)
sys.exit(3)
