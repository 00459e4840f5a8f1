"""How a service appends to, reads, projects and reacts to the log."""
