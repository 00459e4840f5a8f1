"""Lines of builds and containers: written as batches to the stream `LOGS`, read back in order, followed live."""
