"""What every answer of the API is made of."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """What an answer shows of a row: it is made from one, and does not change."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
