"""`Value`: frozen structs for values that are made in large numbers."""

from typing import Any, get_type_hints

from msgspec import Struct, structs
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Value(Struct, frozen=True, gc=False):
    """A frozen msgspec struct: made and read from JSON in C.

    msgspec reads what this program wrote. pydantic reads what others wrote: it validates by the
    annotations, refuses unknown fields, and says where an error is. Neither pydantic nor orjson
    writes these values.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic validate a mapping with these fields and make the struct of it."""
        types = get_type_hints(cls, include_extras=True)
        fields = {
            field.name: core_schema.typed_dict_field(
                handler.generate_schema(types[field.name]), required=field.required
            )
            for field in structs.fields(cls)
        }
        row = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
        return core_schema.no_info_after_validator_function(lambda given: cls(**given), row)
