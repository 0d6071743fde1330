"""The table of commands. The module of a command is imported only when it is called."""

import io
import logging
import socket
import sys
from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from gateway.cli.help_text import ChineseCommand, ChineseGroup
from gateway.cli.output import Exit, fail
from gateway.cli.wrong_use import is_help, told
from gateway.config.errors import Away, BadConfiguration
from gateway.telemetry import log
from gateway.telemetry.source import SOURCE
from schemas.faults import of_system
from scoring.errors import RuleSetError

NAME = "credit-gateway"
GROUPS = {
    "rules": "评价办法",
    "deliveries": "报送",
    "upload": "人工上报",
    "tasks": "批量处理",
    "quarantine": "隔离区",
    "keys": "密钥",
    "calendar": "工作日历",
    "notify": "通知",
    "connector": "报送通道",
    "kinds": "信息种类",
    "audit": "审计",
    "differences": "对账差异",
    "hints": "瞒报线索",
    "outages": "接收方中断登记",
    "db": "数据库",
}
#: Group → command → its function (module:name in this package) and its help text.
COMMANDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    NAME: {
        "demo": ("demo:demo", "用样例数据把主要工作从头到尾走一遍，全部服务自带。"),
        "up": ("serve:up", "运行网关，直到收到停止信号。"),
        "check": ("check:check", "校验一个文件，说明里面有什么、有什么问题；不接收。"),
        "ingest": ("ingest:ingest", "接收一个文件；同一文件再来一次不产生任何变化。"),
        "results": (
            "results:results_command",
            "说明接收过的文件后来怎样了：每条的结果、编号和在各平台的状态。",
        ),
        "trail": (
            "trail:trail_command",
            "一个决定的全部经过：收到、记录、报送、回执、对账、人的处理。",
        ),
        "sources": (
            "sources:sources",
            "每个来源或机关的来件去向：收到、拒收、送达、入库。",
        ),
        "skip": ("skip:skip", "跳过 Kafka 里读不出来的来件，记入缺失，须写明原因。"),
        "score": ("score:score", "按评价办法给每行的对象评分，写出依据。"),
        "due": ("due:due_command", "算出报送期限，说明依据的日历。"),
        "code": ("code:code", "校验统一社会信用代码（GB 32100-2015）。"),
        "explain": (
            "explain:explain_command",
            "说明一个单位的等级：为什么、到何时、修复后怎样、有哪些措施。",
        ),
        "rescore": (
            "rescore:rescore",
            "按评价办法重算全部对象，汇总等级和不评价的原因；不改动记录。",
        ),
        "reconcile": (
            "reconcile:reconcile",
            "与平台公示的和案件登记的对账，列出差异；不作任何更正。",
        ),
        "ledger": (
            "ledger:ledger",
            "冻结并打印一个月的双公示台账；内容没有变化就不产生新版本。",
        ),
        "hold": ("ledger:hold", "暂缓一个月台账的自动冻结，或用 --release 解除。"),
        "received": ("ledger:received", "记下一个接收方已确认收到某月台账。"),
        "card": ("card:card", "一个月的成绩单：一页 HTML 或 PDF，比率、走势、原因、下一步。"),
        "worklist": (
            "worklist:worklist",
            "列出未了结的报送：剩多少时间、会否超期、为什么、由谁处理。",
        ),
        "verify": ("verify:verify", "用当时的信息和评价办法重算评价结果，逐字节比较。"),
        "sandbox": (
            "serve:sandbox",
            "运行沙箱平台：接受报送，可按指令出错（/<名>/control/faults）。",
        ),
        "doctor": ("doctor:doctor", "检查这台机器和配置，逐项说明哪里不对、怎么办。"),
    },
    "rules": {
        "list": ("rules:rules_list", "列出评价办法和效力状态，以及监管措施和公示规则。"),
        "show": ("rules:rules_show", "列出一个评价办法的评价项、等级和理解说明。"),
        "test": ("rules:rules_test", "运行评价办法、监管措施和公示规则的用例，列出覆盖情况。"),
        "diff": (
            "rules_diff:rules_diff",
            "比较两个评价办法；给出对象时，列出等级会改变的每个对象和原因。",
        ),
        "activate": (
            "rules_activate:rules_activate",
            "提出启用评价办法的新文本：先比较，再由第二人批准；到日重评。",
        ),
        "approve": ("rules_activate:rules_approve", "第二人批准启用。"),
        "confirm": ("rules_activate:rules_confirm", "等级变动超过设定比例的，批准之后再次确认。"),
        "withdraw": (
            "rules_activate:rules_withdraw",
            "撤回启用；已按新文本评价过的，恢复原文本并重新评价。",
        ),
        "activations": (
            "rules_activate:rules_activations",
            "列出启用过和待启用的文本，及其提出人、批准人。",
        ),
    },
    "deliveries": {
        "list": ("deliveries:deliveries_list", "列出报送，期限早的在前。"),
        "show": ("deliveries:deliveries_show", "一条报送的全部经过。"),
        "plan": (
            "deliveries_plan:deliveries_plan",
            "按允许的速率，说明一个报送对象的什么在何时报送、哪些会超期。",
        ),
        "retry": ("deliveries:deliveries_retry", "立即重试待重试、被退回或挂起的报送。"),
        "park": ("deliveries:deliveries_park", "人工挂起报送，须写明原因；用 retry 恢复。"),
        "withdraw": ("deliveries:deliveries_withdraw", "不再报送，须写明原因；不能恢复。"),
        "resolve": ("deliveries:deliveries_resolve", "结果不明的报送，人工查明后写明结果。"),
        "attest": (
            "deliveries:deliveries_attest",
            "出具一条报送的送达证明：送了什么、何时、对方答了什么，附签名。",
        ),
        "note": ("outages:deliveries_note", "给一条报送加说明或证据；系统算出的原因不变。"),
    },
    "upload": {
        "make": ("upload:upload_make", "把待报送的做成由人上传的文件，登记谁下载。"),
        "file": ("upload:upload_file", "再取一次在人手里的一批的文件，记作又一次下载。"),
        "done": (
            "uploaded:upload_done",
            "登记一批已由人上报：谁、何时，可附截图或回执。",
        ),
        "undone": (
            "uploaded:upload_undone",
            "登记一批没有上报或被整个退回，须写明原因。",
        ),
        "answers": ("uploaded:upload_answers", "读入平台导出的结果清单：入库、退回及原因。"),
        "list": ("upload_list:upload_list", "列出人工上报的各批，还在人手里的在前。"),
        "show": ("upload_list:upload_show", "一批的各行、经过和附件；取出附件。"),
    },
    "tasks": {
        "list": ("tasks:tasks_list", "列出批量处理：做什么、按什么条件、进行到哪里。"),
        "show": ("tasks:tasks_show", "一次批量处理，和没有改成的每一条。"),
        "pause": ("tasks:tasks_pause", "暂停；已经做了的不变。"),
        "resume": ("tasks:tasks_resume", "继续做完；上次中断的也这样继续。"),
        "cancel": ("tasks:tasks_cancel", "取消余下的；已经做了的不变。"),
    },
    "quarantine": {
        "list": ("quarantine:quarantine_list", "列出隔离区里尚未解决的输入。"),
        "show": ("quarantine:quarantine_show", "一条被拒收输入的来源和问题。"),
        "replay": ("quarantine:quarantine_replay", "更正后重放一条被拒收的输入。"),
    },
    "keys": {
        "list": ("keys:keys_list", "列出各版密钥、用它加密的行数，以及主密钥的指纹。"),
        "rotate": ("keys:keys_rotate", "换用新的加密密钥，已有数据重新加密；网关不必停。"),
        "add-master": (
            "keys:keys_add_master",
            "更换主密钥第一步：让新主密钥也能打开数据，各主机再逐台换上。",
        ),
        "drop-master": ("keys:keys_drop_master", "更换主密钥最后一步：旧主密钥不再能打开数据。"),
    },
    "outages": {
        "list": ("outages:outages_list", "列出接收方中断：何时到何时、谁登记、是否作废。"),
        "show": ("outages:outages_show", "一次中断的全部证据：失败的调用、人的说明、附件。"),
        "open": ("outages:outages_open", "登记一次中断，写明依据，可附对方的通知。"),
        "close": ("outages:outages_close", "登记中断结束。"),
        "void": ("outages:outages_void", "说明某次中断不是接收方的，不再计入。"),
        "add": ("outages:outages_add", "给一次中断补充说明或附件。"),
        "file": ("outages:outages_file", "取出一份证据的附件。"),
    },
    "differences": {
        "list": ("reconcile:differences_list", "列出最近各次对账留下的差异，同一决定的在一起。"),
        "explain": ("reconcile:differences_explain", "说明一处差异，写明原因；内容变了会再列出。"),
    },
    "hints": {
        "list": ("hints:hints_list", "找出并列出瞒报线索：缺号、停报；只供核对，不是结论。"),
        "close": ("hints:hints_close", "核对后关闭一条线索，须写明原因。"),
    },
    "calendar": {
        "list": ("calendar:calendar_list", "列出各年的工作日历、通知文号和来源。"),
        "import": (
            "calendar:calendar_import",
            "导入一年的放假安排：先说明会改变什么，加 --apply 才导入，并重算未定的期限。",
        ),
    },
    "notify": {
        "list": ("notify:notify_list", "列出现在需要人处理的，和已通知谁。"),
        "test": ("notify:notify_test", "给联系人各发一条测试通知，说明是否发出。"),
    },
    "connector": {
        "list": ("connector:connector_list", "列出报送通道的种类，和各报送对象的能力。"),
        "test": (
            "connector:connector_test",
            "用编造的条目在对方的测试环境试一遍通道的每项约定，说明它支持什么。",
        ),
        "new": (
            "connector_new:connector_new",
            "生成一种新通道的安装包：代码、设置、说明和通得过的测试。",
        ),
    },
    "kinds": {
        "list": ("kinds:kinds_list", "列出信息种类：内置的和配置的，列有没有核对过。"),
        "show": ("kinds:kinds_show", "列出一个种类的列：代码、名称、类型、必填。"),
        "editions": ("kinds:kinds_editions", "列出一种名单的各期：条数、新增、移出。"),
        "template": ("kinds:kinds_template", "写出一个种类的空白填报表（xlsx），填好后 ingest。"),
    },
    "audit": {
        "list": ("audit:audit_list", "谁在何时做了什么，新的在前。"),
        "export": ("audit:audit_export", "导出审计链，不需要本系统也能核对（verify --audit）。"),
    },
    "db": {
        "upgrade": ("db:db_upgrade", "把数据库升级到最新结构。"),
        "restored": (
            "db:db_restored",
            "数据库从备份恢复以后：未了结的报送先查询再报，编号不重复。",
        ),
    },
}


class ListedCommand(ChineseCommand):
    """A command in the list of its group; when called, it runs the function in its module."""

    def __init__(self, name: str, function: str, line: str) -> None:
        super().__init__(name, help=line)
        self.function = function

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Import the function and parse its arguments."""
        module, _, name = self.function.partition(":")
        function = getattr(import_module(f"{__package__}.{module}"), name)
        command: type[ChineseCommand] = ChineseCommand
        if "reason" in signature(function).parameters:
            command = import_module(f"{__package__}.refused").RecordedCommand
        alone = typer.Typer(add_completion=False)
        alone.command(self.name, help=self.help, cls=command)(function)
        return typer.main.get_command(alone).make_context(*arguments, **more)


class Commands(ChineseGroup):
    """A group of commands that prints our errors as messages instead of tracebacks."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        listed = COMMANDS[self.name or NAME].items()
        own = {name: ListedCommand(name, function, line) for name, (function, line) in listed}
        self.commands = {**own, **self.commands}

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Parse the options of the group."""
        if any("\udc80" <= letter <= "\udcff" for word in sys.argv for letter in word):
            fail("命令行里有不是 UTF-8 编码的字符")
        try:
            return super().make_context(*arguments, **more)
        except TyperException as error:
            if is_help(error):
                raise
            fail(told(error, self.name or NAME))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if is_help(error):
                raise
            where = getattr(error, "ctx", None) or ctx
            fail(told(error, where.command_path))
        except (BadConfiguration, RuleSetError) as error:
            fail(str(error))
        except Away as error:
            fail(error.told(), Exit.NO_ANSWER)
        except OSError as error:
            fail(f"{error.filename or '输出'}：{of_system(error)}", Exit.NO_ANSWER)
        except KeyboardInterrupt:
            fail("已中断", Exit.INTERRUPTED)


app = typer.Typer(
    name=NAME,
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="双公示报送与环保信用评价网关",
)
for group, title in GROUPS.items():
    app.add_typer(typer.Typer(cls=Commands, no_args_is_help=True), name=group, help=title)


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(envvar="CREDIT_GATEWAY_CONFIG", help="配置文件（YAML）", dir_okay=False),
    ] = None,
) -> None:
    """Store the path of the configuration file; of the log, only errors are shown."""
    log.set_up(logging.ERROR)
    SOURCE.set(f"{socket.gethostname()} 命令行")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a pipe or a journal reads it as it happens
    context.obj = config
