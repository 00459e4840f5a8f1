"""Domains of somebody's own, in one scope for all teams, so that a host is never two projects'."""

from typing import ClassVar

from windlass_contracts.event import Event
from windlass_contracts.ids import EnvironmentId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import HostName


class DomainAssigned(Event):
    """The host is the project's, and answers with this environment of it from now on."""

    TYPE: ClassVar = "domain.assigned.v1"
    AGGREGATE: ClassVar = Aggregate.DOMAINS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    host: HostName
    environment: EnvironmentId


class DomainRemoved(Event):
    """The host is nobody's any more."""

    TYPE: ClassVar = "domain.removed.v1"
    AGGREGATE: ClassVar = Aggregate.DOMAINS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    host: HostName
