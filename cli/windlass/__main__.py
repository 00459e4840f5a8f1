"""`python -m windlass`."""

from windlass.main import main

main()
