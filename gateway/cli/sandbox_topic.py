"""The place of the sandbox that has topics of Kafka, with a broker of its own on this machine."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from connectors.sandbox import Sandbox, TopicPlace, serve_topics
from gateway.cli.output import fail
from gateway.cli.sandbox_places import PlaceServer
from gateway.embedded.kafka import EmbeddedKafka
from gateway.service.servers import started

#: What Kafka takes as the name of a topic, with room for the ending of the other one.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")


def topic_place(name: str, home: Path, port: int) -> tuple[TopicPlace, PlaceServer]:
    """Return a place whose topics have its name, and what serves it on a broker in a folder."""
    if not _NAME.fullmatch(name):
        fail(f"--topic {name}：名字用作主题名，只能有字母、数字、点、下划线和连字符")
    home.mkdir(parents=True, exist_ok=True)
    place = TopicPlace(topic=name, receipts_topic=f"{name}.receipts")
    return place, partial(_serve, place=place, home=home, port=port)


@asynccontextmanager
async def _serve(made: Sandbox, place: TopicPlace, home: Path, port: int) -> AsyncIterator[str]:
    server = EmbeddedKafka(home, port)
    async with started(server), serve_topics(made, server.bootstrap):
        yield (
            f"主题：bootstrap_servers {server.bootstrap}，topic {place.topic}，"
            f"receipts 的 topic {place.receipts_topic}"
        )
