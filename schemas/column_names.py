"""Names of columns 列名 as people write them, and the columns that they mean (pure).

Names are compared in a normal form: one width, lower case, without spaces, line breaks, brackets,
hyphens, stars, a number before them and marks such as （必填）. What is left are letters and
digits, which differ for all columns of a kind.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from pydantic import BaseModel

from schemas.codes import RecordKind
from schemas.columns import ColumnType, columns_of
from schemas.identifiers import half_width, visible
from schemas.kinds import KINDS, Kind
from schemas.legacy import OLD_COLUMNS, OLD_TITLES

#: Longer texts are no names of columns.
LONGEST_NAME = 128
#: Names that people use, and the titles that are meant most likely: for hints only.
_MEANT = {
    "行政处罚决定书文号": ("文号", "案号", "文书号", "决定书编号", "处罚编号", "决定书号"),
    "行政许可决定文书号": ("文号", "文书号", "决定书编号", "许可文号"),
    "行政相对人名称": (
        *("企业名称", "当事人", "单位名称", "公司名称", "被处罚人", "被处罚单位"),
        *("当事人名称", "被处罚人名称", "被处罚单位名称", "被许可人", "违法单位", "违法主体名称"),
    ),
    "行政相对人代码_1(统一社会信用代码)": ("信用代码", "社会信用代码", "企业代码"),
    "处罚决定日期": ("处罚日期", "决定日期", "处罚时间"),
    "处罚机关": ("处罚单位", "执法单位", "执法机关"),
}
#: Letters of a part of a title that is recognised as such.
_PART = 3
_MARK = r"(?:非|条件)?(?:必填|选填|必录|可选|必选)(?:项|字段|列)?"
_MARKED = re.compile(
    rf"[(\[{{<【〔《]\s*{_MARK}(?:[,，;；、][^()（）]*)?\s*[)\]}}>】〕》]"
    rf"|[\s*:,/-]+{_MARK}$"
    rf"|^{_MARK}[\s*:]+"
)


#: What is said of the form of a column, behind its name.
_HINT = re.compile(
    r"[(\[]\s*(?:可?多选|单选|下拉\w*|年月日|[yY]{2,4}\W?[mM].*|(?:格式|如|例)\W.*"
    # Its codes with what they mean, such as 0公示，1内部.
    r"|\d{1,2}\W{0,2}[\u4e00-\u9fff]\w*?\W{0,2}\d{1,2}\W{0,2}[\u4e00-\u9fff].*)\s*[)\]]$"
)
#: A number before a name, such as 1. or （1）, with the sign behind it.
_NUMBERED = re.compile(r"^\(?\d{1,2}[).、,:\s]+(?=[^\W\d])")
#: The unit of an amount as it stands in some names.
_UNIT = re.compile(r"(?:单位|人民币)[\s:]*(?:人民币)?([十百千]?[万亿]?元)")
#: The unit of the standard in the names of amounts, and others that people put in its place.
_WAN, _OTHER_UNITS = "万元", ("元", "百元", "千元", "百万元", "亿元")
#: A unit of money, with what people write behind it.
UNIT = "((?:[十百千]?[万亿]|[十百千])?[元圆])"
_BEHIND = r"(?:整|大写|/?人民币)?"
#: The unit in the normal form of a name, and in a name as it stands, where more may follow it.
_IN_A_KEY = re.compile(rf"{UNIT}{_BEHIND}(?![\u4e00-\u9fff])")
_IN_A_NAME = re.compile(rf"{UNIT}{_BEHIND}(?![^\W_])")
_TORN = re.compile(r"\s+(?=[元圆])")
#: Shorter names of amounts.
_SHORT_TITLES = {"CF_NR_WFFF": "没收金额（万元）"}


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """Return the normal form of a name."""
    text = _NUMBERED.sub("", visible(half_width(name[:LONGEST_NAME])).strip().lower())
    plain = _HINT.sub("", _MARKED.sub("", _UNIT.sub(r"\1", text)).strip())
    return "".join(filter(str.isalnum, plain))


@lru_cache(maxsize=4096)
def unit_in_name(name: str) -> str | None:
    """Return the unit that the name of a column of amounts says, such as 元; None if none.

    It is looked for in the form by which the name is known, so that no sign around it hides it.
    """
    found = _IN_A_KEY.search(name_key(name)) or _IN_A_NAME.search(_with_whole_units(name))
    return None if found is None else plain_unit(found[1])


def _with_whole_units(name: str) -> str:
    """Return a name in one width, without blanks within a unit, as in 万 元."""
    return _TORN.sub("", visible(half_width(name[:LONGEST_NAME])))


def plain_unit(unit: str) -> str:
    """Return a unit in one spelling."""
    return unit.replace("圆", "元")


def is_unit_unclear(name: str) -> bool:
    """Whether the name of a column of amounts speaks of 元, and not clearly of one unit."""
    said = set(map(plain_unit, re.findall(UNIT, _with_whole_units(name))))
    return bool(said) and {unit_in_name(name)} != said


class ColumnNames:
    """The names by which columns are known: those of the standards, and those configured."""

    def __init__(
        self,
        own: Mapping[str, Iterable[str]] | None = None,
        decides: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take the configured names by wire column, and what knows the columns of exclusion."""
        #: Whether a name beside the standard is that of a column of exclusion 不予报送.
        self.decides = decides
        #: kind → normal form → wire column, or the name of a field of an event
        self._names = {kind: _standard_names(kind) for kind in KINDS}
        for wire, names in (own or {}).items():
            for kind in KINDS:
                if wire in self._names[kind].values():
                    self._names[kind] |= {name_key(name): wire for name in names}

        self._keys = frozenset(key for known in self._names.values() for key in known)

    def knows(self, name: str) -> bool:
        """Whether a name is that of a column of any kind."""
        return name_key(name) in self._keys

    def wire(self, kind: RecordKind, name: str) -> str | None:
        """Return the wire column that a name means; None if it is not known."""
        return self._names[kind].get(name_key(name))

    def exact(self, kind: RecordKind) -> frozenset[str]:
        """Return the wire columns of a kind, old ones too."""
        return frozenset(self._names[kind].values())

    def count(self, kind: RecordKind, names: Iterable[str]) -> int:
        """Return how many columns of the kind are among the names."""
        known = self._names[kind]
        return len({known[key] for key in map(name_key, names) if key in known})

    def kind_of(self, names: Iterable[str]) -> RecordKind | None:
        """Return the reported kind with the most columns among the names; None if it has none.

        Kinds share the columns of the subject: a configured kind is meant only where the column is
        named that tells its items apart, and of several that fit as well none is.
        """
        named = [name_key(name) for name in names]
        counts = Counter(
            {
                name: len(self._names[name].keys() & named)
                for name, kind in KINDS.items()
                if kind.reported and (kind.double_publicity or self._has_key(kind, named))
            }
        )
        (best, count), *others = counts.most_common()
        tied = any(other == count for _, other in others)
        if not count or (tied and not KINDS[best].double_publicity):
            return None
        return best

    def _has_key(self, kind: Kind, named: Iterable[str]) -> bool:
        return any(self._names[kind.name].get(name) == kind.number_column for name in named)

    def nearest(self, kind: RecordKind, name: str) -> str | None:
        """Return the title of the column whose name is the most alike; None if none is."""
        titles = {name_key(column.title): column.title for column in columns_of(KINDS[kind].model)}
        key = name_key(name)
        meant = (one for one, names in _MEANT.items() if key in names and name_key(one) in titles)
        if (title := next(meant, None)) is not None:
            return title
        # A part of a title means the first column that has it: the subject's come first.
        parts = [one for one in titles if len(key) >= _PART and (key in one or one in key)]
        found = parts or get_close_matches(key, titles, n=1, cutoff=0.6)
        return titles[found[0]] if found else None


def _standard_names(kind: RecordKind) -> dict[str, str]:
    model = KINDS[kind].model
    names = {name_key(old): old for old in OLD_COLUMNS.get(kind, ())}
    names |= {name_key(title): old for title, old in OLD_TITLES.get(kind, {}).items()}
    for name, field in model.model_fields.items():
        wire = field.alias or name
        names[name_key(wire)] = wire
        if field.title:
            names[name_key(field.title)] = wire
    names |= {name_key(one): wire for wire, one in _SHORT_TITLES.items() if wire in names.values()}
    return names | _with_codes(names) | _in_other_units(model, names)


def _in_other_units(model: type[BaseModel], names: Mapping[str, str]) -> dict[str, str]:
    """Return the names of amounts with another unit, such as 罚款金额（元）."""
    amounts = {one.wire for one in columns_of(model) if one.type is ColumnType.AMOUNT}
    return {
        name.replace(_WAN, unit): wire
        for name, wire in names.items()
        if wire in amounts and _WAN in name
        for unit in _OTHER_UNITS
    }


def _with_codes(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names together with the codes of their columns, in either order."""
    both: dict[str, str] = {}
    for name, wire in names.items():
        code = name_key(wire)
        if name != code:
            both |= {name + code: wire, code + name: wire}
    return both


@KINDS.cached
def standard_names() -> ColumnNames:
    """Return the names of the standards alone."""
    return ColumnNames()
