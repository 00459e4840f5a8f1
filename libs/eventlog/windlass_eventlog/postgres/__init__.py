"""Rows of projections in PostgreSQL."""
