"""What changed between two deployments."""

from uuid import uuid4

from support.gateway_story import deployment_after, way_to_live
from windlass_contracts.config import DeploymentConfig, HttpProbe, TcpProbe
from windlass_contracts.events.deployment import VariableVersion
from windlass_gateway.domain.comparison import FieldChange, compare


def test_differences_are_named_by_field_and_variables_by_name() -> None:
    kept, old, new = uuid4(), uuid4(), uuid4()
    before = deployment_after(way_to_live(config=DeploymentConfig(replicas=1, probe=HttpProbe(path="/up"))))
    after = deployment_after(way_to_live(config=DeploymentConfig(replicas=3, probe=TcpProbe(), root="app")))
    before = before.model_copy(update={"variables": _versions(A=kept, B=old, C=old)})
    after = after.model_copy(update={"variables": _versions(A=kept, B=new, D=new), "commit": "b" * 40})

    changes = compare(before, after)

    assert {change.field for change in changes.config} >= {"replicas", "root", "probe.kind", "probe.path"}
    assert FieldChange("replicas", 1, 3) in changes.config
    assert FieldChange("root", None, "app") in changes.config
    assert (changes.variables_added, changes.variables_removed, changes.variables_changed) == (("D",), ("C",), ("B",))
    assert not changes.same_commit
    assert not changes.nothing


def test_the_same_again_is_no_difference() -> None:
    row = deployment_after(way_to_live())
    assert compare(row, row).nothing


def _versions(**variables: object) -> tuple[VariableVersion, ...]:
    return tuple(VariableVersion.model_validate({"name": name, "secret": secret}) for name, secret in variables.items())
