"""What a destination said, for people: nothing secret, nothing personal, in any encoding."""

import html
import json
import re
from urllib.parse import quote

import pytest

from connectors.shared.words import SECRETS, reason, status_words

SECRET = "a1b2/c3d4+e5f6&g7h8=="


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        r"a1b2\/c3d4+e5f6&g7h8==",
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        html.escape(SECRET),
        r"a1b2\u002fc3d4\u002Be5f6\u0026g7h8\u003d\u003d",
        "a1b2&#47;c3d4&#x2B;e5f6&amp;g7h8&#61;&#61;",
    ],
)
def test_a_secret_that_an_answer_quotes_is_hidden_in_every_spelling(written: str) -> None:
    token = SECRETS.set((SECRET,))
    words = status_words(401, f'{{"msg": "bad key {written}"}}'.encode(), "")
    SECRETS.reset(token)

    assert "c3d4" not in words


@pytest.mark.parametrize("lead", range(175, 201))
def test_an_identity_number_at_the_end_of_a_quotation_is_masked(lead: int) -> None:
    said = f"{'错' * lead}11010519491231002X 有误".encode()

    assert not re.search(r"\d{12,}", status_words(400, said, "text/plain"))


@pytest.mark.parametrize("name", ["hex", "zlib", "bz2", "undefined", "idna", "utf-7", "x" * 500])
def test_an_answer_of_any_charset_has_words(name: str) -> None:
    body = f"<meta charset={name}>错".encode("gb18030") + b"\xff\xfe"

    assert "HTTP 500" in status_words(500, body, f"text/html; charset={name}")


def test_a_long_answer_is_read_though_it_is_cut_within_a_character() -> None:
    body = f"x{'错' * 5000}".encode()

    assert "错错错" in status_words(500, body, "text/plain")


@pytest.mark.parametrize(
    "written", ["环保接口口令", json.dumps("环保接口口令"), quote("环保接口口令")]
)
def test_a_secret_in_chinese_is_hidden(written: str) -> None:
    token = SECRETS.set(("环保接口口令",))
    words = status_words(401, f"bad {written}".encode(), "text/plain")
    SECRETS.reset(token)

    assert words.endswith(("bad …", 'bad "…"'))


def test_a_secret_that_begins_with_another_is_hidden_whole() -> None:
    token = SECRETS.set(("hb-gateway", "hb-gateway.1798300000.5f2b9c0d"))
    words = status_words(404, b"token hb-gateway.1798300000.5f2b9c0d", "text/plain")
    SECRETS.reset(token)

    assert words.endswith("token …")


@pytest.mark.parametrize("before", range(8150, 8200))
def test_a_secret_at_the_end_of_what_is_read_is_hidden(before: int) -> None:
    page = "<style>" + "x" * (before - 15) + "</style>" + SECRET + " 无效"
    token = SECRETS.set((SECRET,))
    words = status_words(401, page.encode(), "text/html")
    SECRETS.reset(token)

    assert "a1b2" not in words


def test_a_long_secret_and_a_long_text_take_no_time() -> None:
    token = SECRETS.set(("a" * 8000 + "!",))
    words = [reason("a" * 100_000) for _ in range(20)]
    SECRETS.reset(token)

    assert set(words) == {"…"}


def test_a_long_secret_is_hidden_to_its_end() -> None:
    token = SECRETS.set(("eyJhbGciOi.J9" * 20,))
    words = reason("令牌 " + "eyJhbGciOi.J9" * 20 + " 无效")
    SECRETS.reset(token)

    assert words == "令牌 … 无效"
