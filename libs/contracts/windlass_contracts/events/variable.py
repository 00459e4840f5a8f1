"""Variables by name and secret id. Values, plain ones too, lie encrypted in the bucket `SECRETS`."""

from typing import ClassVar

from windlass_contracts.event import Event
from windlass_contracts.ids import EnvironmentId, SecretId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import VariableName


class VariableSet(Event):
    """The next deployment gets this value of the variable; without an environment, every environment does."""

    TYPE: ClassVar = "variable.set.v1"
    AGGREGATE: ClassVar = Aggregate.VARIABLES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    name: VariableName
    environment: EnvironmentId | None = None
    secret: SecretId
    """The version of the value, stored before this event was appended."""


class VariableRemoved(Event):
    """From the next deployment on, the variable is not set."""

    TYPE: ClassVar = "variable.removed.v1"
    AGGREGATE: ClassVar = Aggregate.VARIABLES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    name: VariableName
    environment: EnvironmentId | None = None
