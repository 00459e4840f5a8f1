"""What is deployed when a deployment is repeated."""

from windlass_contracts.events.deployment import GitSource
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import NotRepeatableError


def repeated_source(row: Deployment) -> GitSource:
    """Return the commit that the deployment was made of; its ref, where none was ever resolved.

    Raises:
        NotRepeatableError: it was made of no repository.
    """
    if not isinstance(row.source, GitSource):
        raise NotRepeatableError(row.source.kind)
    return row.source.model_copy(update={"commit": row.commit})
