"""The addresses that a deployment will have once it is live, before the router has named them."""

from windlass_contracts.ids import DeploymentId, EnvironmentId

_LONGEST_LABEL = 63
_ID_DIGITS = 12


def environment_address(slug: str, environment: str, *, production: bool) -> str | None:
    """Return the label of an environment's address; None where it is too long and the router has to shorten it."""
    label = slug if production else f"{slug}--{environment}"
    return label if len(label) <= _LONGEST_LABEL else None


def environment_id_address(slug: str, environment: EnvironmentId) -> str:
    """Return the label of the address that an environment keeps whatever it is called."""
    return f"{slug}--env--{environment.hex[:_ID_DIGITS]}"


def deployment_address(slug: str, deployment: DeploymentId) -> str:
    """Return the label of the address that is one deployment's alone."""
    return f"{slug}--id--{deployment.hex[:_ID_DIGITS]}"
