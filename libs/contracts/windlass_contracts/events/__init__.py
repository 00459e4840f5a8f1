"""All events, by what they are about."""

from windlass_contracts.events.access import ApiTokenCreated, ApiTokenRevoked
from windlass_contracts.events.container import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    Healthy,
    Unhealthy,
)
from windlass_contracts.events.credential import CredentialRemoved, CredentialSet
from windlass_contracts.events.deployment import (
    BuildStarted,
    BuildSucceeded,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentSuperseded,
    Failed,
    PreDeployStarted,
    PreDeploySucceeded,
)
from windlass_contracts.events.domain import DomainAssigned, DomainRemoved
from windlass_contracts.events.environment import EnvironmentConfigured, EnvironmentCreated
from windlass_contracts.events.inspection import InspectionFailed, InspectionRequested, SourceInspected
from windlass_contracts.events.project import ProjectConfigured, ProjectCreated
from windlass_contracts.events.reaction import (
    ReactionAbandoned,
    ReactionDiscarded,
    ReactionRecovered,
    ReactionRetried,
)
from windlass_contracts.events.release import ReleaseRetired, StorageReclaimed
from windlass_contracts.events.replicas import (
    DeploymentScaled,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
)
from windlass_contracts.events.routes import (
    AliasesChanged,
    BranchDeleted,
    EnvironmentReleased,
    PromotionRequested,
    RestoreRequested,
    RollbackRequested,
    RolloutStopped,
    RoutesApplied,
    RoutesFailed,
    WeightChanged,
    WeightRequested,
)
from windlass_contracts.events.run import RunEnded, RunRequested, RunStarted
from windlass_contracts.events.variable import VariableRemoved, VariableSet

__all__ = [
    "AliasesChanged",
    "ApiTokenCreated",
    "ApiTokenRevoked",
    "BranchDeleted",
    "BuildStarted",
    "BuildSucceeded",
    "ContainerLooping",
    "ContainerPaused",
    "ContainerResumed",
    "ContainerStarted",
    "ContainerStopped",
    "CredentialRemoved",
    "CredentialSet",
    "CutoverStarted",
    "DeploymentCanceled",
    "DeploymentLive",
    "DeploymentRequested",
    "DeploymentScaled",
    "DeploymentSuperseded",
    "DomainAssigned",
    "DomainRemoved",
    "EnvironmentConfigured",
    "EnvironmentCreated",
    "EnvironmentReleased",
    "Failed",
    "Healthy",
    "InspectionFailed",
    "InspectionRequested",
    "PreDeployStarted",
    "PreDeploySucceeded",
    "ProjectConfigured",
    "ProjectCreated",
    "PromotionRequested",
    "ReactionAbandoned",
    "ReactionDiscarded",
    "ReactionRecovered",
    "ReactionRetried",
    "ReleaseRetired",
    "RestartFailed",
    "RestartRequested",
    "RestartSucceeded",
    "RestoreRequested",
    "RollbackRequested",
    "RolloutStopped",
    "RoutesApplied",
    "RoutesFailed",
    "RunEnded",
    "RunRequested",
    "RunStarted",
    "SourceInspected",
    "StorageReclaimed",
    "Unhealthy",
    "VariableRemoved",
    "VariableSet",
    "WeightChanged",
    "WeightRequested",
]
