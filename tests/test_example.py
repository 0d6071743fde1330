"""The example of a configuration names every setting that there is."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from connectors import CONNECTORS
from gateway.config.settings import Settings
from schemas.base import Schema
from schemas.destination import Destination

EXAMPLE = (Path(__file__).parents[1] / "gateway.example.yaml").read_text(encoding="utf-8")


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and the models of its fields, lists and mappings of them too."""
    yield model
    for field in model.model_fields.values():
        for name in re.findall(r"\w+", str(field.annotation)):
            inner = MODELS.get(name)
            if inner is not None and inner is not model:
                yield from models(inner)


def subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from subclasses(one)


#: Ours; libraries have models of the same names.
MODELS = {one.__name__: one for one in subclasses(Schema)}
#: `memory` is for tests and demonstrations.
CONNECTED: list[type[BaseModel]] = [
    one.settings for name, one in CONNECTORS.items() if name != "memory"
]


def test_every_setting_is_in_the_example() -> None:
    roots: list[type[BaseModel]] = [Settings, Destination, *CONNECTED]

    missing = {
        f"{model.__name__}.{field}"
        for root in roots
        for model in models(root)
        for field in model.model_fields
        if not re.search(rf"\b{field}\b", EXAMPLE)
    }

    assert missing == set()
