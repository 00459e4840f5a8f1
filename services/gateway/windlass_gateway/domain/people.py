"""People are opaque ids here; their names lie in a bucket."""

from uuid import UUID

from windlass_contracts.ids import derived


def owner_id(installation: str) -> UUID:
    """Return the id of the person that an installation starts with: whoever can run `windlass up`."""
    return derived("person", installation, "owner")
