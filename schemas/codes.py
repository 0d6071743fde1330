"""Closed lists 代码表 of the data standard; sources in each docstring."""

from enum import StrEnum
from typing import Any, ClassVar, Self, cast

from pydantic_core import PydanticCustomError, core_schema


class RecordKind(str):
    """What an item of input is about: the name of a kind 信息种类, built in or configured.

    There is one object for each name, so that `is` compares two kinds. `RecordKind(name)` raises
    ValueError for a name that is none of those `known`.
    """

    __slots__ = ()

    PENALTY: ClassVar["RecordKind"]  #: 行政处罚
    LICENCE: ClassVar["RecordKind"]  #: 行政许可
    EVENT: ClassVar["RecordKind"]  #: 环保信用信息
    GRADE: ClassVar["RecordKind"]  #: 外部评定的等级
    PARTICIPANT: ClassVar["RecordKind"]  #: 参评单位
    known: ClassVar[frozenset["RecordKind"]] = frozenset()  #: set by the catalogue of kinds

    def __new__(cls, name: str) -> Self:
        """Return the kind of a name."""
        if name not in cls.known:
            raise ValueError(f"没有信息种类 {name}；现有：{'、'.join(sorted(cls.known))}")
        return cast("Self", _MADE[name])

    @classmethod
    def define(cls, name: str) -> "RecordKind":
        """Return the kind of a name, which need not be known yet."""
        return _MADE.setdefault(name, str.__new__(cls, name))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Read a name as the kind."""
        del source, handler
        return core_schema.no_info_plain_validator_function(
            cls._named, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Offer the names that are known."""
        del schema, handler
        return {"type": "string", "enum": sorted(cls.known)}

    @classmethod
    def _named(cls, name: Any) -> "RecordKind":
        if isinstance(name, str) and name in cls.known:
            return cls(name)
        expected = ", ".join(f"'{one}'" for one in sorted(cls.known))
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": expected})


_MADE: dict[str, RecordKind] = {}
RecordKind.PENALTY = RecordKind.define("penalty")
RecordKind.LICENCE = RecordKind.define("licence")
RecordKind.EVENT = RecordKind.define("event")
RecordKind.GRADE = RecordKind.define("grade")
RecordKind.PARTICIPANT = RecordKind.define("participant")


class Verb(StrEnum):
    """What a record version does to its decision."""

    NEW = "new"  #: 新增
    CORRECT = "correct"  #: 更正
    WITHDRAW = "withdraw"  #: 撤回
    REPAIR = "repair"  #: 信用修复
    REVIVE = "revive"  #: 恢复


#: Sent to every past recipient, whatever its filters are (信用修复管理办法, 2026-04-01).
FOLLOW_UPS = frozenset({Verb.WITHDRAW, Verb.REPAIR})


class SubjectCategory(StrEnum):
    """行政相对人类别 (发改办财金〔2018〕424号 data standard); the wire carries the text."""

    LEGAL_PERSON = "法人及非法人组织"
    NATURAL_PERSON = "自然人"
    INDIVIDUAL_BUSINESS = "个体工商户"


class SubjectKind(StrEnum):
    """参评对象种类: which scoring table a subject falls under."""

    ENTERPRISE = "enterprise"  #: 企事业单位
    AGENCY = "agency"  #: 第三方服务机构
    INDIVIDUAL = "individual"  #: 从业人员
    SITE = "site"  #: 按排污许可证参评的厂址


class LicenceKind(StrEnum):
    """许可类别 (2018 layout)."""

    ORDINARY = "普通"
    FRANCHISE = "特许"
    RECOGNITION = "认可"
    VERIFICATION = "核准"
    REGISTRATION = "登记"
    OTHER = "其他"


#: 处罚类别: the national list of 2018, the words of 行政处罚法 (2021) art. 9, those of
#: 生态环境行政处罚办法 (2023) art. 8 [B], and 责令限制生产, which decisions write although it is no
#: kind of either. Everything else is written 其他-补充说明. 责令改正 is no penalty.
PENALTY_KINDS = frozenset(
    {
        "警告", "通报批评", "罚款", "没收违法所得", "没收非法财物",
        "暂扣许可证", "吊销许可证", "暂扣执照", "吊销执照", "暂扣或吊销许可证", "暂扣或吊销执照",
        "暂扣许可证件", "降低资质等级", "吊销许可证件", "限制开展生产经营活动", "责令停产停业",
        "责令关闭", "限制从业", "行政拘留", "限制生产", "停产整治", "按日连续处罚", "查封", "扣押",
        "查封扣押", "其他", "责令停产整治", "一定时期内不得申请行政许可", "禁止从业",
        "责令限期拆除", "责令限制生产",
    }
)  # fmt: skip

#: A national value "其他-补充说明" is 其他, a dash, and words of one's own.
OTHER_PENALTY_PREFIX = "其他-"

#: 证件类型 (2018 layout) [B]: unverified, so an unknown type is passed on, not refused.
RESIDENT_IDENTITY_CARD = "身份证"


class EventType(StrEnum):
    """环保信用信息: the neutral list that rule sets map to their items.

    Types of findings make a fact. Process types change the fact of a decision.
    """

    DAILY_PENALTY = "enforcement.daily_penalty"  #: 按日连续处罚
    SEIZURE = "enforcement.seizure"  #: 查封、扣押
    COURT_ENFORCEMENT = "enforcement.court"  #: 申请法院强制执行
    SUPERVISION_TOP = "supervision.top"  #: 生态环境部或省级政府挂牌督办
    SUPERVISION_PROVINCE = "supervision.province"  #: 省级生态环境厅挂牌督办
    SUPERVISION_CITY = "supervision.city"  #: 设区市生态环境局挂牌督办
    SUPERVISION_OVERDUE = "supervision.overdue"  #: 未按期完成挂牌督办整改
    EIA_UNAPPROVED = "eia.unapproved"  #: 未批先建
    EIA_QUALITY = "eia.quality"  #: 环评文件严重质量问题
    EIA_UNACCEPTED = "eia.unaccepted"  #: 未验先投
    PERMIT_MISSING = "permit.missing"  #: 应持证未持证
    PERMIT_OVERDUE = "permit.overdue"  #: 排污许可整改逾期
    PERMIT_CONTROL = "permit.control"  #: 未按证做好污染防治
    PERMIT_MONITORING = "permit.monitoring"  #: 未按证自行监测
    PERMIT_BOOKS = "permit.books"  #: 未按证建立管理台账
    PERMIT_REPORT_MISSING = "permit.report_missing"  #: 未按证提交执行报告
    PERMIT_REPORT_FALSE = "permit.report_false"  #: 未如实填报执行报告
    WASTE_BASIC = "hazardous_waste.basic"  #: 危废规范化考核基本达标
    WASTE_FAILED = "hazardous_waste.failed"  #: 危废规范化考核不达标
    CLEAN_AUDIT = "clean_production.audit"  #: 未完成强制清洁生产审核
    CLEAN_LEVEL = "clean_production.level"  #: 清洁生产水平低下
    CLEAN_PROCESS = "clean_production.process"  #: 工艺落后、高污染燃料
    CLEAN_SITE = "clean_production.site"  #: 现场脏乱差、跑冒滴漏
    INCIDENT_GENERAL = "incident.general"  #: 一般突发环境事件
    INCIDENT_LARGER = "incident.larger"  #: 较大突发环境事件
    INCIDENT_MAJOR = "incident.major"  #: 重大及以上突发环境事件
    DAMAGE_LITIGATED = "damage.litigated"  #: 生态环境损害赔偿诉讼追责
    DAMAGE_ENFORCED = "damage.enforced"  #: 损害赔偿逾期被强制执行
    PERMIT_FRAUD = "dishonesty.permit_fraud"  #: 骗取许可
    PERMIT_FRAUD_REVOKED = "dishonesty.permit_fraud_revoked"  #: 骗取许可被依法撤销
    EVASION_UNPERFORMED = "dishonesty.evasion_unperformed"  #: 逃避监管排污或拒检，逾期不履行处罚
    COMMENDATION = "commendation.honour"  #: 表彰
    PRAISE = "commendation.praise"  #: 表扬
    PILOT_ULTRA_LOW = "pilot.ultra_low_emission"  #: 超低排放改造
    PILOT_INSURANCE = "pilot.liability_insurance"  #: 环境污染责任保险
    PILOT_MANAGEMENT = "pilot.fine_management"  #: 精细管理双赢
    AGENCY_QUALIFICATION = "agency.qualification"  #: 资质认定缺失、失效或超范围
    AGENCY_NOTIFIED = "agency.notified"  #: 被通报或函告整改
    AGENCY_FALSIFIED = "agency.falsified"  #: 篡改伪造数据被处罚
    AGENCY_REFUSED = "agency.refused_inspection"  #: 拒绝阻挠检查
    AGENCY_INTERVIEWED = "agency.interviewed"  #: 被约谈
    AGENCY_UNAUTHORISED = "agency.unauthorised_work"  #: 整改期擅自执业或逾期未改正
    AGENCY_PRINCIPAL_LOSS = "agency.principal_loss"  #: 致委托单位扣分
    AGENCY_BAD_FAITH = "agency.bad_faith"  #: 违反诚信造成恶劣影响
    AGENCY_STAFF = "agency.staff_records"  #: 三名及以上人员不良记录
    AGENCY_PLANT_MISUSE = "agency.plant_misuse"  #: 故意不正常运行治理设施
    AGENCY_UNTRAINED = "agency.untrained_monitoring"  #: 监测人员未经培训或超范围
    AGENCY_EIA_WATCHED = "agency.eia_watched"  #: 环评平台重点监督检查名单
    AGENCY_EIA_LIMITED = "agency.eia_limited"  #: 环评平台限期整改名单
    AGENCY_EIA_BLACKLISTED = "agency.eia_blacklisted"  #: 环评平台黑名单
    AGENCY_DATA_LEAK = "agency.data_leak"  #: 泄露倒卖业务数据
    AGENCY_FALSE_REPORT = "agency.false_report"  #: 虚假运维报告
    AGENCY_DATA_CHANGED = "agency.data_changed"  #: 擅自修改原始数据
    AGENCY_DELAYED = "agency.delayed"  #: 严重延误工期
    AGENCY_POOR_QUALITY = "agency.poor_quality"  #: 成果质量多次不达标
    AGENCY_BREACH = "agency.breach"  #: 不按约定条款执行
    INDIVIDUAL_UNIT_LOSS = "individual.unit_loss"  #: 直接负责人致所在单位扣分
    INDIVIDUAL_PRINCIPAL_LOSS = "individual.principal_loss"  #: 服务人员致委托单位或所在机构扣分
    INDIVIDUAL_LENT_QUALIFICATION = "individual.lent_qualification"  #: 出借、挂靠从业资质
    INDIVIDUAL_BAD_SERVICE = "individual.bad_service"  #: 咨询审查弄虚作假、成果达不到要求
    COMMITMENT_KEPT = "commitment.kept"  #: 作出环保信用承诺并信守
    FRONT_RUNNER = "commendation.front_runner"  #: 环保领跑者
    CRIME = "crime.environmental"  #: 因环境犯罪被追究刑事责任
    EMISSION_EXCEEDED = "emission.exceeded"  #: 超标排放，责令改正并处罚款
    EMISSION_TOTAL = "emission.total_exceeded"  #: 主要污染物排放总量超过控制指标
    EIA_CHANGED = "eia.major_change"  #: 重大变动未重新报批环评擅自投产
    DISCHARGE_EVASIVE = "discharge.evasive"  #: 暗管、渗井、渗坑、旁路等排放
    WASTE_DUMPED = "hazardous_waste.dumped"  #: 非法排放、倾倒、处置危险废物
    WATER_SUPPLY_CUT = "incident.water_supply"  #: 致饮用水水源取水中断
    SENSITIVE_AREA_HARMED = "ecology.sensitive_area"  #: 对敏感区造成重大不利影响
    ECOLOGY_DESTROYED = "ecology.destroyed"  #: 违法开发造成严重生态破坏
    INSPECTION_OBSTRUCTED = "inspection.obstructed"  #: 暴力、威胁阻挠检查
    HEAVY_POLLUTION_IGNORED = "response.heavy_pollution"  #: 重污染天气应急响应不力
    RECTIFICATION = "rectification"  #: 整改完成
    REPAIR = "repair"  #: 环保信用修复: points stop, by the rule set
    WARNING = "warning"  #: 信用预警
    CONFIRMATION = "confirmation"  #: 审核确认: what a participant uploaded counts from now on
    CRIMINAL_SUSPICION = "criminal_suspicion"  #: 涉嫌犯罪（开始或解除）
    PUBLICITY_REPAIR = "publicity_repair"  #: 信用修复，终止公示: publication ends, by a letter


#: Types that close or rewrite the fact of the decision that they are about.
PROCESS_TYPES = frozenset(
    {EventType.RECTIFICATION, EventType.REPAIR, EventType.WARNING, EventType.CONFIRMATION}
)
#: Types of findings that speak for the subject; the other findings are misconduct 失信信息.
_MERITS = frozenset(
    {
        EventType.COMMENDATION,
        EventType.PRAISE,
        EventType.PILOT_ULTRA_LOW,
        EventType.PILOT_INSURANCE,
        EventType.PILOT_MANAGEMENT,
        EventType.COMMITMENT_KEPT,
        EventType.FRONT_RUNNER,
    }
)
#: Types that name the decision that they are about.
ABOUT_A_DECISION = PROCESS_TYPES | {EventType.PUBLICITY_REPAIR}
#: Findings of misconduct 失信信息, whatever rows a rule set has for them; a suspicion is none.
MISCONDUCT = (
    frozenset(EventType) - _MERITS - ABOUT_A_DECISION - frozenset({EventType.CRIMINAL_SUSPICION})
)
