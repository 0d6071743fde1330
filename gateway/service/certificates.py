"""When the certificates end that the configuration names: our own and those we trust."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway.config.settings import Settings

#: Settings that name a file of certificates, in PEM.
_CERTIFICATES = frozenset({"certificate_file", "ca_file"})


def certificates(settings: Settings) -> list[tuple[str, datetime | str]]:
    """Return each configured file, with when the first of its certificates ends.

    Of a file that cannot be read, the error stands in place of the time.
    """
    places: list[Mapping[str, Any]] = [one.settings for one in settings.destinations]
    places += [settings.kafka.model_dump(), settings.http.model_dump()]
    return [(name, _end(name)) for name in sorted({path for one in places for path in _files(one)})]


def _end(name: str) -> datetime | str:
    try:
        found = x509.load_pem_x509_certificates(Path(name).read_bytes())
    except (OSError, ValueError) as error:
        return str(error)
    return min(one.not_valid_after_utc for one in found)


def _files(place: Mapping[str, Any]) -> Iterator[str]:
    for name, value in place.items():
        if name in _CERTIFICATES and isinstance(value, str):
            yield value
