"""What the simulated installation is called."""

INSTALLATION = "0badcafe"
