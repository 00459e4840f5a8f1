"""What each field of an event says about people.

The log can never be changed, so whatever could have to be deleted one day must not be in it. Every text in an event
carries one of these classes, visible in its JSON Schema as `x-personal-data`; a text without one is refused by a test.
"""

from enum import StrEnum
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

SCHEMA_KEY = "x-personal-data"


class PersonalData(StrEnum):
    """How a field relates to people, and so why it may stand in the log for ever."""

    NONE = "none"
    """Made by machines from machines' facts: digests, codes, addresses of containers."""

    PSEUDONYM = "pseudonym"
    """An opaque id. What it stands for lives in a key-value bucket and is deleted there on request."""

    NAMED = "named"
    """The name somebody gave to a thing, or our own sentence that quotes it. The forms say that it is kept for ever."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show the class in the JSON Schema of the field."""
        return {**handler(schema), SCHEMA_KEY: self.value}
