"""The Chinese words for what the code calls by English names: screens, messages and ledgers."""

from schemas.codes import RecordKind
from schemas.delivery import DeliveryState
from schemas.verdict import Exclusion, Verdict

VERDICTS = {Verdict.OK: "合格", Verdict.INCOMPLETE: "待补正", Verdict.REFUSED: "拒收"}
KINDS = {
    RecordKind.PENALTY: "行政处罚",
    RecordKind.LICENCE: "行政许可",
    RecordKind.EVENT: "环保信用信息",
    RecordKind.GRADE: "外部评定等级",
}
STATES = {
    DeliveryState.HELD: "待补正",
    DeliveryState.WAITING: "排队",
    DeliveryState.READY: "待报送",
    DeliveryState.DEFERRED: "待重试",
    DeliveryState.LEASED: "报送中",
    DeliveryState.UNKNOWN: "结果不明",
    DeliveryState.SUBMITTED: "已报送待回执",
    DeliveryState.ACCEPTED: "有效入库",
    DeliveryState.ACCEPTED_BLIND: "已送达无回执",
    DeliveryState.REJECTED: "被退回",
    DeliveryState.PARKED: "人工挂起",
    DeliveryState.SUPERSEDED: "已被新版本取代",
    DeliveryState.WITHDRAWN: "已撤回",
}
EXCLUSIONS = {
    Exclusion.STATE_SECRET: "涉密决定",
    Exclusion.SIMPLE_PROCEDURE: "对自然人适用简易程序",
    Exclusion.MINOR_REMEDIED: "自然人轻微并主动消除危害",
}
DIRECTIONS = {
    "up": "上升",
    "down": "下降",
    "first": "首次",
    "suspended": "暂停评价",
    "external": "外部评定",
}
