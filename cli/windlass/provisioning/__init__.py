"""Makes a machine ready: a Docker engine, the images apps are built on, a sandbox for processes, a browser."""
