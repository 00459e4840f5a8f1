"""Frames between commands and those who sit before them, by way of the stream `TERMINALS`."""
