"""The addresses that a deployment will have once it is live, as far as they are known before the router names them."""

from windlass_contracts.ids import DeploymentId

_LONGEST_LABEL = 63


def environment_address(slug: str, environment: str, *, production: bool) -> str | None:
    """Return the label of an environment's address; None where it is too long and the router has to shorten it."""
    label = slug if production else f"{slug}--{environment}"
    return label if len(label) <= _LONGEST_LABEL else None


def deployment_address(slug: str, deployment: DeploymentId) -> str:
    """Return the label of the address that is one deployment's alone."""
    return f"{slug}--id--{deployment.hex[:12]}"
