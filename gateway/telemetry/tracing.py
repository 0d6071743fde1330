"""Traces 链路 from intake to receipt, by OpenTelemetry; off unless they are configured.

A version of a record has a trace of its own, and so has each delivery: their ids are made of their
numbers, so nothing is stored for it and all processes agree. A call to a destination is about many
deliveries: each links to the call and to the version that it carries. No value of a record stands
in a trace.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

#: Of the 64 bits by which it is decided whether a trace is kept.
_ALL = 2**64


class TracedDelivery(NamedTuple):
    """What became of one delivery in a call."""

    id: int
    version_id: int | None  #: of a record; None of a grade change
    state: str


class Tracing:
    """What makes the spans; does nothing until it is started."""

    def __init__(self) -> None:
        self._tracer: Any = None
        self._provider: Any = None
        self._installation = ""
        self._share = 1.0

    def start(
        self, endpoint: str, headers: Mapping[str, str], share: float, installation: str
    ) -> None:
        """Send spans to the collector at a URL of OTLP over HTTP, of this share of the items.

        Raises:
            ImportError: the libraries are not installed.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        about = {"service.name": "credit-gateway", "service.namespace": installation}
        self._provider = TracerProvider(resource=Resource.create(about))
        exporter = OTLPSpanExporter(endpoint=endpoint, headers=dict(headers))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("gateway")
        self._installation, self._share = installation, share

    def stop(self) -> None:
        """Send what is left, and be off; this blocks."""
        if self._provider is not None:
            self._provider.shutdown()
        self._provider = self._tracer = None

    def now(self) -> int:
        """Return the present time in nanoseconds; 0 while traces are off."""
        return time.time_ns() if self._tracer is not None else 0

    def batch(self, begun: int, count: int, versions: Iterable[int]) -> None:
        """Tell that a batch of items came, and which versions of records it made.

        Nothing is drawn from the iterable while traces are off.
        """
        if self._tracer is None:
            return
        batch = self._tracer.start_span("intake", start_time=begun, attributes={"items": count})
        batch.end()
        for id_ in set(versions):
            self._span("record", "version", id_, begun, [batch.get_span_context()], {})

    def call(
        self, begun: int, destination: str, act: str, deliveries: Iterable[TracedDelivery]
    ) -> None:
        """Tell of a call, by its destination and act, and what became of its deliveries.

        Nothing is drawn from the iterable while traces are off.
        """
        if self._tracer is None:
            return
        about, ended = {"destination": destination, "act": act}, list(deliveries)
        attributes = {**about, "deliveries": len(ended)}
        call = self._tracer.start_span("call", start_time=begun, attributes=attributes)
        call.end()
        for one in ended:
            links = [call.get_span_context()]
            if one.version_id is not None:
                links.append(self._root("version", one.version_id))
            self._span("deliver", "delivery", one.id, begun, links, {**about, "state": one.state})

    def receipts(self, destination: str, answers: Iterable[tuple[int, bool]]) -> None:
        """Tell of receipts: the delivery of each, and whether it accepts it."""
        if self._tracer is None:
            return
        for id_, accepted in answers:
            attributes = {"destination": destination, "accepted": accepted}
            self._span("receipt", "delivery", id_, self.now(), [], attributes)

    def _span(
        self,
        name: str,
        kind: str,
        id_: int,
        begun: int,
        links: Sequence[Any],
        attributes: Mapping[str, Any],
    ) -> None:
        from opentelemetry.trace import Link, NonRecordingSpan, set_span_in_context

        root = self._root(kind, id_)
        if root.trace_id % _ALL >= self._share * _ALL:
            return
        span = self._tracer.start_span(
            name,
            context=set_span_in_context(NonRecordingSpan(root)),
            start_time=begun,
            links=[Link(one) for one in links],
            attributes=attributes,
        )
        span.end()

    def _root(self, kind: str, id_: int) -> Any:
        """Return the context that all spans of a version or a delivery are in."""
        from opentelemetry.trace import SpanContext, TraceFlags

        digest = hashlib.sha256(f"{self._installation}/{kind}/{id_}".encode()).digest()
        trace, span = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
        flags = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(trace, span, is_remote=True, trace_flags=flags)


#: That of this process.
tracing = Tracing()
