"""The Chinese words for names in the code, for screens, messages and ledgers."""

from gateway.check.changes import Change
from gateway.telemetry.audit_events import AuditEvent
from schemas.codes import SubjectKind, Verb
from schemas.columns import ColumnType
from schemas.contact import ContactRole
from schemas.credit import NotEvaluated
from schemas.delivery import NOT_CALLED, NOTHING_TO_WITHDRAW, UNUSABLE, DeliveryState, OutcomeKind
from schemas.hand_upload import UploadState
from schemas.verdict import Exclusion, Verdict
from scoring.consequences.publicity import Published, Severity

VERDICTS = {Verdict.OK: "合格", Verdict.INCOMPLETE: "待补正", Verdict.REFUSED: "拒收"}
COLUMN_TYPES = {
    ColumnType.TEXT: "文字",
    ColumnType.DATE: "日期",
    ColumnType.AMOUNT: "金额",
    ColumnType.CREDIT_CODE: "统一社会信用代码",
    ColumnType.IDENTITY: "证件号码",
    ColumnType.PENALTY_KINDS: "处罚类别",
    ColumnType.CODE: "选一个",
}
CHANGES = {
    Change.PLACEHOLDER: "占位符按空处理",
    Change.TIME: "日期去掉时间",
    Change.UNIT: "金额换算成万元",
    Change.FLOAT_TAIL: "金额去掉浮点尾差",
    Change.CODE: "代码改成规范写法",
    Change.INVISIBLE: "去掉看不见的字符",
    Change.STATE: "当前状态换成撤回或现行代码",
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
UPLOAD_STATES = {
    UploadState.OPEN: "在人手里",
    UploadState.DONE: "已上报",
    UploadState.UNDONE: "未上报",
}
#: How an attempt ended: what the call led to, or why there was none.
ATTEMPT_OUTCOMES: dict[str, str] = {
    **{kind: STATES[DeliveryState(kind)] for kind in OutcomeKind},
    NOT_CALLED: "没有发出",
    NOTHING_TO_WITHDRAW: "对方没有，不必告知",
    UNUSABLE: "组不成报文",
}
EXCLUSIONS = {
    Exclusion.STATE_SECRET: "涉密决定",
    Exclusion.SIMPLE_PROCEDURE: "对自然人适用简易程序",
    Exclusion.MINOR_REMEDIED: "自然人轻微并主动消除危害",
    Exclusion.RESTRICTED_USE: "使用范围限政府内部或授权查询",
}
DIRECTIONS = {
    "up": "上升",
    "down": "下降",
    "first": "首次",
    "suspended": "暂停评价",
    "external": "外部评定",
    "unchanged": "实时等级不变",
}
NOT_EVALUATED = {
    NotEvaluated.CRIMINAL_SUSPECT: "涉嫌犯罪",
    NotEvaluated.NOT_PARTICIPANT: "不在参评单位名录",
    NotEvaluated.BRANCH: "分支机构，并入法人评价",
    NotEvaluated.EARLIER_KIND: "参评类别变了，先前的信息不能与现在的合并计分，请人决定",
    NotEvaluated.NO_RULE_SET: "没有适用的评价办法",
    NotEvaluated.WRONG_KIND: "评价办法不适用于该类对象",
    NotEvaluated.UNKNOWN_ITEM: "评价办法里没有该评价项",
    NotEvaluated.ITEM_OF_OTHER_KIND: "评价项属于另一类对象",
    NotEvaluated.MISSING_AMOUNT: "罚款没有金额",
    NotEvaluated.MISSING_PRINCIPAL_POINTS: "缺委托单位扣分",
    NotEvaluated.MISSING_STATED_POINTS: "缺决定所载分值或指标得分",
    NotEvaluated.BEYOND_INDICATOR_SCALE: "指标得分超过100分",
    NotEvaluated.MISSING_DEPARTMENT: "缺产生信息的部门",
    NotEvaluated.CONFLICTING_EXCEPTIONS: "两个例外结果不一",
    NotEvaluated.NO_TARIFF: "评价办法没有公开评分表，等级由外部评定，还没有收到",
    NotEvaluated.UNKNOWN_GRADE: "外部评定的等级不在评价办法里",
    NotEvaluated.RECEIVED_GRADE_NOT_USED: "评价办法不采用外部评定的等级",
    NotEvaluated.UNKNOWN_SITE: "信息所属厂址不在厂址清单里",
    NotEvaluated.SITES_SCORED_APART: "厂址分别参评，不合并计分",
    NotEvaluated.ENGINE_ERROR: "评价程序出错",
}
SUBJECT_KINDS = {
    SubjectKind.ENTERPRISE: "企事业单位",
    SubjectKind.AGENCY: "第三方服务机构",
    SubjectKind.INDIVIDUAL: "从业人员",
    SubjectKind.SITE: "厂址",
}
RULE_SET_STATUSES = {
    "draft": "征求意见稿，结果为试算",
    "in_force": "现行有效",
    "superseded": "已被取代",
}
SEVERITIES = {Severity.MINOR: "轻微", Severity.ORDINARY: "一般", Severity.SERIOUS: "严重"}
PUBLISHED = {Published.YES: "公示", Published.NO: "不予公示", Published.MAY: "可以不予公示"}

ROLE_TITLES = {
    ContactRole.CLERK: "经办人员",
    ContactRole.OPERATOR: "运维人员",
    ContactRole.LEADER: "负责人",
}
#: What a person or the program did, as the audit trail tells it.
AUDIT_EVENTS: dict[str, str] = {
    AuditEvent.ORIGIN_REUSED: "来源位置上换了内容",
    AuditEvent.TOPIC_MADE_AGAIN: "主题重建",
    AuditEvent.MESSAGES_MISSING: "来件缺失",
    AuditEvent.MESSAGES_SKIPPED: "跳过来件",
    AuditEvent.SKIP_SET_ASIDE: "跳过作废",
    AuditEvent.SKIP_TAKEN_BACK: "收回跳过",
    AuditEvent.QUARANTINE_REPLAYED: "重放隔离区来件",
    AuditEvent.DELIVERY_RETRIED: "重试报送",
    AuditEvent.DELIVERY_PARKED: "挂起报送",
    AuditEvent.DELIVERY_WITHDRAWN: "不再报送",
    AuditEvent.DELIVERY_RESOLVED: "写明报送结果",
    AuditEvent.UPLOAD_MADE: "下载上报文件",
    AuditEvent.UPLOAD_HANDED_OUT: "再次下载上报文件",
    AuditEvent.UPLOAD_DONE: "登记已上报",
    AuditEvent.UPLOAD_UNDONE: "登记未上报",
    AuditEvent.UPLOAD_ANSWERED: "读入平台结果",
    AuditEvent.BULK_STARTED: "开始批量处理",
    AuditEvent.BULK_PAUSED: "暂停批量处理",
    AuditEvent.BULK_RESUMED: "继续批量处理",
    AuditEvent.BULK_CANCELLED: "取消批量处理",
    AuditEvent.BREAKER_OPENED: "中断报送",
    AuditEvent.BREAKER_CLOSED: "恢复报送",
    AuditEvent.OUTAGE_OPENED: "登记接收方中断",
    AuditEvent.OUTAGE_CLOSED: "登记中断结束",
    AuditEvent.OUTAGE_VOIDED: "中断作废",
    AuditEvent.EVIDENCE_ADDED: "补充证据",
    AuditEvent.CHAIN_MENDED: "修复报送次序",
    AuditEvent.RECONCILED: "对账",
    AuditEvent.DIFFERENCE_EXPLAINED: "说明差异",
    AuditEvent.HINT_CLOSED: "关闭瞒报线索",
    AuditEvent.LEDGER_HELD: "暂缓台账",
    AuditEvent.LEDGER_RELEASED: "解除暂缓",
    AuditEvent.LEDGER_SENT: "送出台账",
    AuditEvent.LEDGER_RECEIVED: "台账收到",
    AuditEvent.LEDGER_FROZEN: "冻结台账",
    AuditEvent.CALENDAR_IMPORTED: "导入日历",
    AuditEvent.KEY_ROTATED: "更换密钥",
    AuditEvent.MASTER_KEY_ADDED: "增加主密钥",
    AuditEvent.MASTER_KEY_DROPPED: "停用主密钥",
    AuditEvent.RETENTION_APPLIED: "按期删除",
    AuditEvent.GRADES_PUBLISHED: "公布等级",
    AuditEvent.RULE_SET_PROPOSED: "提出启用办法",
    AuditEvent.RULE_SET_APPROVED: "批准启用办法",
    AuditEvent.RULE_SET_CONFIRMED: "再次确认启用",
    AuditEvent.RULE_SET_WITHDRAWN: "撤回启用",
    AuditEvent.RULE_SET_ACTIVATED: "启用办法",
    AuditEvent.DATABASE_FAILED_OVER: "数据库主备切换",
    AuditEvent.DATABASE_RESTORED: "数据库从备份恢复",
    AuditEvent.ACTION_REFUSED: "操作未办成",
    AuditEvent.ACCESS_REFUSED: "访问被拒",
}


def not_evaluated_words(reason: str) -> str:
    """Return in Chinese why there is no grade, with the detail if there is one."""
    name, _, about = reason.partition(":")
    words = NOT_EVALUATED[NotEvaluated(name)]
    return f"{words}：{about}" if about else words


VERB_TITLES = {
    Verb.CORRECT: "更正",
    Verb.WITHDRAW: "撤回",
    Verb.REPAIR: "修复",
    Verb.REVIVE: "恢复",
}

PERSON = "自然人"
