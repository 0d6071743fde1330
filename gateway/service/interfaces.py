"""The machine-readable interfaces: JSON Schemas of all messages, AsyncAPI of all topics.

`python -m gateway.service.interfaces` writes them to `schemas/generated/`; a test compares them.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from gateway.config.settings import KafkaSettings
from schemas.base import Schema
from schemas.columns import columns_of
from schemas.kinds import KINDS
from schemas.messages import GradeChanged

TOPICS_OUT: Mapping[str, type[Schema]] = {
    "environmental-credit.grade-change": GradeChanged,
}


def documents() -> dict[str, bytes]:
    """Return file names and contents."""
    models: dict[str, type[BaseModel]] = {str(name): kind.model for name, kind in KINDS.items()}
    models["grade-changed"] = GradeChanged
    texts = {f"{name}.schema.json": _json(_schema(model)) for name, model in models.items()}
    return texts | {"asyncapi.json": _json(asyncapi())}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    if columns_of(model):  # unknown columns are stored, never refused
        schema["additionalProperties"] = True
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def asyncapi() -> dict[str, Any]:
    """Return AsyncAPI 3.0 of the bus, from the default topics and the message models."""
    broker = KafkaBroker("127.0.0.1:9092", logger=None)
    for topic, kind in KafkaSettings().topics.items():
        _receives(broker, topic, KINDS[kind].model)
    for topic, model in TOPICS_OUT.items():
        broker.publisher(topic, schema=model, title=topic)
    document = AsyncAPI(
        broker, title="credit-gateway", version="1", schema_version="3.0.0"
    ).to_specification()
    return dict(document.to_jsonable())


def _receives(broker: KafkaBroker, topic: str, model: type[Schema]) -> None:
    async def handle(message: Any) -> None:
        """One message of this topic; the gateway decodes and checks it itself."""

    handle.__annotations__["message"] = model
    broker.subscriber(topic, title=topic)(handle)


def _json(document: Any) -> bytes:
    option = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document, option=option)


def write() -> None:
    """Write every document."""
    folder = Path(str(files("schemas") / "generated"))
    folder.mkdir(exist_ok=True)
    for name, content in documents().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    write()
