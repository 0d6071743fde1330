"""Record kinds of the configuration 自定义信息种类: what a bureau sends beside 双公示.

For most of them no public standard gives the columns, so that they are configured: columns that all
kinds have stand in their place by themselves, such as the name and the code of the subject.
"""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, create_model, model_validator

from schemas.base import NonBlank, Schema
from schemas.codes import RecordKind, SubjectCategory
from schemas.column_names import name_key
from schemas.columns import ColumnType, Required, column
from schemas.kinds import KINDS, Kind

_VALUES: dict[ColumnType, Any] = {ColumnType.DATE: date, ColumnType.AMOUNT: Decimal}
#: Types of columns that may be configured: a person's number has its own place (`persons`).
_TYPES = (
    *(ColumnType.TEXT, ColumnType.DATE, ColumnType.AMOUNT),
    *(ColumnType.CREDIT_CODE, ColumnType.CODE),
)
#: Lengths of types that have their own.
_LENGTHS = {
    ColumnType.DATE: None,
    ColumnType.AMOUNT: None,
    ColumnType.CODE: None,
    ColumnType.CREDIT_CODE: 18,
    ColumnType.IDENTITY: 64,
}
#: Characters of a text without a length of its own.
_LENGTH = 200
_REMARK = "BZ"
#: Characters of a key at most.
_LONGEST_KEY = 255
#: Types of keys: the same amount is written in several ways.
_KEY_TYPES = frozenset({ColumnType.TEXT, ColumnType.CODE, ColumnType.DATE, ColumnType.CREDIT_CODE})
#: Names of columns that are ours, and of what is around a record.
RESERVED = frozenset(
    {"kind", "verb", "data", "填报问题", "修改办法", "来源工作表", "来源行", "原文"}
)
#: One line that may be the name of a sheet.
Title = Annotated[str, Field(pattern=r"^[^\[\]:*?/\\\r\n\t']{1,31}$")]


class ConfiguredColumn(Schema):
    """One column of a configured kind."""

    code: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")  #: its name in messages
    title: NonBlank  #: 列名, as in tables
    type: ColumnType = ColumnType.TEXT  #: not identity or penalty_kinds
    length: int = Field(default=_LENGTH, ge=1, le=4000)  #: characters
    required: bool = False  #: without it a record is 待补正
    codes: tuple[NonBlank, ...] = ()  #: the values that it may have
    verified: bool = False  #: it was read in a published standard

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.type not in _TYPES:
            known = "、".join(_TYPES)
            raise ValueError(f"{self.code} type：不能是 {self.type}；可用：{known}")
        if bool(self.codes) is not (self.type is ColumnType.CODE):
            raise ValueError(f"{self.code}：type 是 code 的要列出 codes，其他的不能有 codes")
        return self

    def of(self, required: Required) -> tuple[Any, Any]:
        """Return type and field of the model."""
        field = column(
            self.code,
            self.title,
            type_=self.type,
            max_length=_LENGTHS.get(self.type, self.length),
            required=required,
            codes=frozenset(self.codes) or None,
        )
        return (_VALUES.get(self.type, str) | None, field)


class ConfiguredKind(Schema):
    """One kind 信息种类: its columns, and which of them tell one item from another.

    Without `keys` that is the document number 文书号. Columns that are not given here have the
    prefix and the codes of the 2018 layout.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")  #: what destinations and topics call it
    title: Title  #: in Chinese
    prefix: str = Field(pattern=r"^[A-Z]{2}_$")  #: of its columns; by it a row is recognised
    number: ConfiguredColumn | None = None  #: the document number
    #: Codes of columns, of a kind without document numbers. That of the subject's credit code
    #: alone: a company has one item.
    keys: tuple[str, ...] = ()
    date: ConfiguredColumn | None = None  #: the day from which an item counts
    authority: ConfiguredColumn | None = None  #: the name of the authority
    subject: ConfiguredColumn | None = None  #: the name of the subject
    code: ConfiguredColumn | None = None  #: the credit code of the subject
    persons: bool = False  #: natural persons are among its subjects
    columns: tuple[ConfiguredColumn, ...] = ()  #: its own
    whole_list: bool = False  #: 名单: `ingest --edition` withdraws what its file does not have
    source: str = ""  #: where the columns stand

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        every = [*(one.code.lower() for one in self.columns)]
        if len(set(every)) == len(every):
            every = [one.code.lower() for one in self.all_columns()]
        titles = [name_key(one.title) for one in self.all_columns()]
        if nameless := [one.title for one in self.all_columns() if not name_key(one.title)]:
            raise ValueError(
                f"title：{'、'.join(nameless)} 里没有文字和数字，读表时认不出是哪一列；写上列名"
            )
        # A title that is the code of another column is that column, as it is read.
        titles += [
            name_key(other.code)
            for one in self.all_columns()
            for other in self.all_columns()
            if other is not one and name_key(other.code) == name_key(one.title)
        ]
        for what, names in (("code", every), ("title", titles)):
            if twice := sorted({one for one in names if names.count(one) > 1}):
                raise ValueError(f"{what} 重复（不分大小写）：{'、'.join(twice)}；每列各不相同")
        own = {name for one in self.all_columns() for name in (one.code, one.title)}
        if ours := sorted(own & RESERVED):
            raise ValueError(f"{'、'.join(ours)} 是本系统自己的列名；换一个 code 或 title")
        return self

    @model_validator(mode="after")
    def _keys_tell_apart(self) -> Self:
        if self.number is not None and self.keys:
            raise ValueError("number、keys 只写一个")
        fields = self._fields()
        known = {one.code: one for name, (one, _) in fields.items() if self._may_be_key(name)}
        if strange := [one for one in self.keys if one not in known]:
            raise ValueError(f"keys：没有列 {'、'.join(strange)}；可用：{'、'.join(known)}")
        for one in (known[code] for code in self.keys):
            if one.type not in _KEY_TYPES or one.length > _LONGEST_KEY:
                types = "、".join(sorted(_KEY_TYPES))
                raise ValueError(
                    f"keys：{one.code} 不能区分各件；应为 {types}，length 不超过 {_LONGEST_KEY}"
                )
        return self

    @model_validator(mode="after")
    def _of_their_types(self) -> Self:
        """Refuse another type of a column that has its own in every kind."""
        given = {"number": self.number, "date": self.date, "authority": self.authority}
        given |= {"subject": self.subject, "code": self.code}
        types = {"date": ColumnType.DATE, "code": ColumnType.CREDIT_CODE}
        for name, one in given.items():
            own = types.get(name, ColumnType.TEXT)
            if one is not None and "type" in one.model_fields_set and one.type is not own:
                raise ValueError(f"{name} type：不能是 {one.type}，总是 {own}；去掉 type")
        return self

    def _may_be_key(self, field: str) -> bool:
        """Whether a field may tell items apart: the code of the subject may, but for persons."""
        return field.startswith("own_") or (field == "credit_code" and not self.persons)

    def all_columns(self) -> tuple[ConfiguredColumn, ...]:
        """Return every column: of the subject, of the item, its own, and the remark."""
        return tuple(column for column, _ in self._fields().values())

    def _fields(self) -> dict[str, tuple[ConfiguredColumn, Required]]:
        """Return the columns by field name, and when each is required if it does not say so."""
        always, usual = Required.ALWAYS, self._usual
        code_needed = Required.CREDIT_CODE_HOLDER if self.persons else always
        text, day, code = ColumnType.TEXT, ColumnType.DATE, ColumnType.CREDIT_CODE
        fields = {
            "subject_name": (self.subject or usual("XDR_MC", "行政相对人名称"), text, always),
            "credit_code": (self.code or usual("XDR_SHXYM", "统一社会信用代码"), code, code_needed),
        }
        if self.persons:
            person = Required.NATURAL_PERSON
            number = ColumnType.IDENTITY
            fields |= {
                "subject_category": (self._category(), ColumnType.CODE, always),
                "identity_type": (usual("XDR_ZJLX", "证件类型"), text, person),
                "identity_number": (usual("XDR_ZJHM", "证件号码"), number, person),
            }
        if not self.keys:
            wsh = self.number or usual("WSH", f"{self.title}文书号")
            fields["document_number"] = (wsh, text, always)
        fields |= {
            "decision_date": (self.date or usual("JDRQ", f"{self.title}日期"), day, always),
            "authority": (self.authority or usual("JG", f"{self.title}机关"), text, always),
        }
        found = {
            name: (one.model_copy(update={"type": type_}), required)
            for name, (one, type_, required) in fields.items()
        }
        for one in (*self.columns, *self._remark()):
            needed = one.required or one.code in self.keys
            found[_field(one)] = one, always if needed else Required.NO
        return found

    def _usual(self, code: str, title: str) -> ConfiguredColumn:
        return ConfiguredColumn(code=f"{self.prefix}{code}", title=title)

    def _category(self) -> ConfiguredColumn:
        category = self._usual("XDR_LB", "行政相对人类别")
        return category.model_copy(update={"codes": tuple(SubjectCategory)})

    def _remark(self) -> tuple[ConfiguredColumn, ...]:
        own = {one.code for one in self.columns}
        remark = ConfiguredColumn(code=_REMARK, title="备注", length=512, verified=True)
        return () if _REMARK in own else (remark,)

    def kind(self) -> Kind:
        """Return the kind for the catalogue."""
        fields = self._fields()
        keys = tuple(name for name, (one, _) in fields.items() if one.code in self.keys)
        name = RecordKind.define(self.name)
        made: dict[str, Any] = {name: one.of(needed) for name, (one, needed) in fields.items()}
        model = create_model(self.name, __base__=ConfiguredRecord, **made)
        model.KIND = name
        return Kind(
            name=name,
            title=self.title,
            model=model,
            keys=keys or ("document_number",),
            date="decision_date",
            authority="authority",
            reported=True,
            prefix=self.prefix,
            whole_list=self.whole_list,
            configured=self,
        )


class ConfiguredRecord(Schema):
    """The base of the models of configured kinds."""

    KIND: ClassVar[RecordKind]
    if TYPE_CHECKING:  # the models have these fields, those of persons where the kind has persons
        subject_name: str | None
        credit_code: str | None
        identity_number: str | None
        document_number: str | None
        decision_date: date | None
        authority: str | None


def _field(of: ConfiguredColumn) -> str:
    """Return the name of a column's field, which none of the others has."""
    return "remark" if of.code == _REMARK else f"own_{of.code.lower()}"


def adopt(configured: tuple[ConfiguredKind, ...]) -> None:
    """Make these the configured kinds of this process; nothing if they are already.

    Raises:
        ValueError: a name, title or prefix stands twice, or is one of a kind that is built in.
    """
    if configured == tuple(kind.configured for kind in KINDS.values() if kind.configured):
        return
    built_in = [kind for kind in KINDS.values() if kind.configured is None]
    taken: dict[str, set[str]] = {
        "name": {*(kind.name for kind in built_in), "grade_change"},
        "prefix": {kind.prefix for kind in built_in if kind.prefix},
        "title": {kind.title for kind in built_in},
    }
    for one in configured:
        for what, others in taken.items():
            value = getattr(one, what)
            if value in others:
                raise ValueError(f"kinds {one.name} {what}：{value} 已有；每个种类各不相同")
            others.add(value)
    for one in configured:
        others = taken["prefix"] - {one.prefix}
        if strange := [c.code for c in one.all_columns() if c.code[:3].upper() in others]:
            raise ValueError(
                f"kinds {one.name}：{'、'.join(strange)} 的开头是另一种类的 prefix；换一个 code"
            )
    KINDS.adopt(one.kind() for one in configured)
