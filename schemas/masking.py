"""Masks and keyed pseudonyms of natural persons 自然人脱敏."""

import hashlib
import hmac

#: Characters of a resident identity number, and up to which nothing of a number is shown.
_RESIDENT, _ALL_HIDDEN = 18, 10


def mask_identity(number: str) -> str:
    """`110105********002X`: the first six and last four characters stay.

    Of one that is shorter than that, such as a passport's, no more than half stays; of ten
    characters or less, none.
    """
    if len(number) <= _ALL_HIDDEN:
        return "*" * len(number)
    stays = 10 if len(number) >= _RESIDENT else len(number) // 2
    tail = stays * 2 // 5
    return number[: stays - tail] + "*" * (len(number) - stays) + number[-tail:]


def mask_name(name: str) -> str:
    """`张*`: the first character stays."""
    return name[:1] + "*" * (len(name) - 1)


def keyed_hash(key: bytes, text: str) -> str:
    """HMAC-SHA256 in hex, cut to 32 characters: 128 bits, enough to tell persons apart."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def pseudonym(key: bytes, key_version: int, identity: str) -> str:
    """Return a person's public pseudonym, which changes with the version of the key."""
    return f"p{key_version}-{keyed_hash(key, identity)}"
