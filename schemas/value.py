"""`Value`: frozen structs for what is made by the hundred thousand, and how pydantic reads them."""

from typing import Any, get_type_hints

from msgspec import Struct, structs
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Value(Struct, frozen=True, gc=False):
    """A frozen struct: msgspec makes them and reads them from JSON without running Python.

    What we have written is read by msgspec; what others wrote by pydantic, which reads parsed data
    by the fields' annotations, refuses unknown ones, and says where a fault is. Neither pydantic
    nor orjson writes them.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A mapping with these fields, and the struct made of it."""
        types = get_type_hints(cls, include_extras=True)
        fields = {
            field.name: core_schema.typed_dict_field(
                handler.generate_schema(types[field.name]), required=field.required
            )
            for field in structs.fields(cls)
        }
        row = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
        return core_schema.no_info_after_validator_function(lambda given: cls(**given), row)
