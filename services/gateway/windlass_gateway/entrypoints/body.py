"""What every request of the API is made of."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What a request carries, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")
