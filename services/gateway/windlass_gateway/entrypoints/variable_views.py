"""What answers show of variables: never a value."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.env_file import EnvFile
from windlass_gateway.domain.shredding import Loss
from windlass_gateway.domain.variables import Preview
from windlass_gateway.entrypoints.view import View


class VariableView(View):
    """A variable's name; its value is shown nowhere."""

    name: str
    environment: str | None
    set_at: datetime


class AffectedView(View):
    """A deployment that loses something by shredding."""

    id: DeploymentId
    environment: str
    commit: str | None
    loss: Annotated[
        Loss,
        Field(description="live: new containers of it cannot start; under way: it fails; rollback: nobody can go back"),
    ]


class ShreddableView(View):
    """What shredding a variable's values would delete, and what it costs."""

    values: int
    removes: Annotated[bool, Field(description="the variable is set, and is removed by it")]
    affected: list[AffectedView]


class RemarkView(View):
    """Something about a line of a `.env` file."""

    line: int
    text: str


class PreviewView(View):
    """What setting the variables of a `.env` file would do."""

    added: list[str]
    replaced: Annotated[list[str], Field(description="set already; nobody can see whether the value is another one")]
    kept: Annotated[list[str], Field(description="set there and not in the file: setting removes nothing")]
    unreadable: Annotated[list[RemarkView], Field(description="as long as there is one, nothing is set")]
    remarks: list[RemarkView]

    @classmethod
    def of(cls, read: EnvFile, found: Preview) -> "PreviewView":
        return cls(
            added=list(found.added),
            replaced=list(found.replaced),
            kept=list(found.kept),
            unreadable=[RemarkView.model_validate(one) for one in read.unreadable],
            remarks=[RemarkView.model_validate(one) for one in read.remarks],
        )
