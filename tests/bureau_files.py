"""The files that bureaus have (tests/files, each folder with expect.md), and what is in them."""

from datetime import date
from pathlib import Path

FILES = Path(__file__).parent / "files"
DAY = date(2026, 11, 26)
#: File → the verdicts of its records (o 合格, i 待补正, r 拒收), and words that the screen has.
READ: dict[str, tuple[str, tuple[str, ...]]] = {
    "01-title-row/in.csv": ("oo", ("表头在第2行", "GB18030")),
    "01-title-row/in.xlsx": ("ooo", ("表头在第2行",)),
    **{f"02-header-spelling/{name}.xlsx": ("o", ("表头在第1行",)) for name in (
        "fullwidth", "halfwidth", "hyphen", "lower", "must", "star")},
    "03-notes-rows/in.xlsx": ("oo", ("第2、5行不是记录：填报说明或表尾文字",)),
    "04-other-sheets/in.xlsx": (
        "oo", ("“填报说明”表：前20行里没有认识的列名，不读", "“hiddenDict”表：隐藏，不读"),
    ),
    "04-other-sheets/blank-first-row.xlsx": ("o", ("“Sheet3”表：前20行里没有认识的列名，不读",)),
    "05-long-numbers/code.xlsx": ("r", ("后几位已丢失", "设为文本")),
    "05-long-numbers/person.xlsx": ("r", ("证件号码：是数字而不是文本，后几位已丢失",)),
    "05-long-numbers/registration.xlsx": ("r", ("工商注册号", "后几位已丢失")),
    "05-long-numbers/sci.csv": ("r", ("后几位已丢失",)),
    "06-dates/1904.xlsx": ("o", ()),
    "06-dates/cn-upper.xlsx": ("o", ()),
    "06-dates/datetime-cell.xlsx": ("o", ("日期去掉时间 1 处",)),
    "06-dates/serial-general.xlsx": ("r", ("表格里的日期序号", "把单元格格式设为日期")),
    "06-dates/forms.csv": ("ooooooooooooorrroooorriirr", ("年份只有两位", "分不清月和日")),
    "07-invisible/in.csv": ("o" * 13, ("去掉看不见的字符",)),
    "08-amounts/currency.xlsx": ("i", ("没有写单位，不知道是元还是万元",)),
    "08-amounts/error-cell.xlsx": ("i", ("单元格是公式错误 #N/A",)),
    "08-amounts/float.xlsx": ("o", ("浮点尾差 1 处", "与处罚内容里的20000元不一致")),
    "08-amounts/float2.xlsx": ("o", ()),
    "08-amounts/forms.csv": (
        "ooioo" "iiooo" "ooioo" "oiioi" "ooiio" "iiiio", ("没有写单位",),
    ),
    "09-encodings/double-bom.csv": ("oo", ("UTF-8",)),
    "09-encodings/mixed.csv": ("or", ("残缺的汉字",)),
    "09-encodings/semicolon.csv": ("oo", ("分号分隔",)),
    "09-encodings/tab.csv": ("oo", ("GB18030，制表符分隔",)),
    "09-encodings/table.tsv": ("oo", ("UTF-8，制表符分隔",)),
    "09-encodings/table.txt": ("oo", ("GB18030，制表符分隔",)),
    "09-encodings/utf16.csv": ("oo", ("UTF-16，逗号分隔",)),
    "09-encodings/utf16tab.csv": ("oo", ("UTF-16，制表符分隔",)),
    "10-file-types/UPPER.XLSX": ("oo", ("工作簿",)),
    "10-file-types/crlf-utf16.ndjson": ("oo", ("UTF-16",)),
    "10-file-types/csv-renamed.xlsx": ("oo", ("文本表格",)),
    "10-file-types/data.json": ("oo", ("JSON 列表",)),
    "10-file-types/macro.xlsm": ("oo", ()),
    "10-file-types/new-renamed.xls": ("oo", ()),
    "10-file-types/new.xlsx": ("oo", ()),
    "10-file-types/noext": ("oo", ("文本表格",)),
    "10-file-types/old-renamed.csv": ("oo", ("工作簿",)),
    "10-file-types/old-renamed.xlsx": ("oo", ()),
    "10-file-types/old.xls": ("oo", ()),
    "10-file-types/wps.et": ("oo", ()),
    "10-file-types/wrapped.json": ("oo", ("在 data 里",)),
    "11-trailing/commas.csv": ("oo", ()),
    "11-trailing/formatted.xlsx": ("oo", ()),
    "11-trailing/gap-row.xlsx": ("oo", ("“Sheet1”表第3行",)),
    "11-trailing/seq.csv": ("oo", ("等 100 行不是记录：只有序号",)),
    "11-trailing/spaces.xlsx": ("oo", ()),
    "11-trailing/two-empty-first.xlsx": ("oo", ("表头在第3行", "“Sheet1”表第4行")),
    "13-cut-character/chinese.csv": ("o" * 20 + "r" + "o" * 9, ("单元格 F22", "UTF-8")),
    "13-cut-character/codes.csv": ("o" * 20 + "r" + "o" * 9, ("单元格 F22",)),
    "14-old-layout-state/penalty.csv": ("oooooorooo", ("其中撤回 5", "当前状态：异议")),
    "14-old-layout-state/licence-new.csv": ("iooooo", ("“0”不在代码表内",)),
    "14-old-layout-state/template-2016.xlsx": ("i", ("其中撤回 1",)),
    "15-placeholders/in.csv": ("o" * 9 + "ii", ("占位符按空处理",)),
    "15-placeholders/required.csv": ("rrr", ("行政处罚决定书文号：必填项为空",)),
    "16-duplicate-columns/twice.xlsx": ("r", ("A2 是“样例1号有限公司”，Q2 是",)),
    "17-connect-envelopes/in.ndjson": (
        "ooooooooo" "irorororrrr", ("data_base64", "用错了编码读出来的乱码", "空字符"),
    ),
    **{f"18-cjk-date-format/fmt{n}.xlsx": ("o", ()) for n in (14, 27, 28, 30, 31, 32, 50, 57, 58)},
    "19-string-parts/in.xlsx": ("o", ()),
    "20-partial-workbook/in.xlsx": ("o" * 1500, ("“Sheet3”表：前20行里没有认识的列名，不读",)),
}  # fmt: skip
REFUSED = {
    "09-encodings/big5.csv": ("Big5", "另存为“CSV UTF-8”"),
    "10-file-types/encrypted.xlsx": ("加了密码", "另存为 .xlsx"),
    "10-file-types/html-renamed.xlsx": ("这是网页（HTML）", "另存为 .xlsx"),
    "12-stray-cell/xfd-last.xlsx": ("“Sheet1”表的单元格 XFD1048576", "删去它"),
    "12-stray-cell/xfd-row5000.xlsx": ("“Sheet1”表的单元格 XFD5000", "删去它"),
}
LETTERS = {"ok": "o", "incomplete": "i", "refused": "r"}
