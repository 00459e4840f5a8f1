"""The command, for where its script is not on the PATH: `python -m windlass`."""

from windlass.main import main

main()
