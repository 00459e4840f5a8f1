"""The public contract: events, subjects, versions and the deployment lifecycle."""
