"""What is deployed when a deployment is repeated."""

from windlass_contracts.events.deployment import GitSource, UploadSource
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import NotRepeatableError


def repeated_source(row: Deployment) -> GitSource | UploadSource:
    """Return the commit that the deployment was made of; its ref, where none was ever resolved. Or what was uploaded.

    Raises:
        NotRepeatableError: it was made of neither.
    """
    if isinstance(row.source, UploadSource):
        return row.source
    if not isinstance(row.source, GitSource):
        raise NotRepeatableError(row.source.kind)
    return row.source.model_copy(update={"commit": row.commit})
