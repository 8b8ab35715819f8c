"""What is said about settings, one table a language. Chinese is the one that is always complete."""

from __future__ import annotations

TEXTS = {
    "zh": {
        "colon": "：",
        "command_line": "命令行",
        # the file
        "unreadable": "读不了（{reason}）。请检查路径和权限，或用 --config 指定另一个文件。",
        "not_utf8": "不是 UTF-8 文本。请用 UTF-8 编码另存。",
        "syntax": "YAML 写法有误（{reason}）。请检查这一行和上一行的冒号、引号和缩进（只用空格）。",
        "alias": "不支持 YAML 引用 *{name}。请把值直接写出来。",
        "not_mapping": "应为“名称: 值”的形式，每行一项。",
        "duplicate": "重复，第 {first} 行已经写过。请删去一处。",
        "no_variable": "没有环境变量 {name}。请先设置它，或直接把值写在这里。",
        # keys and values
        "unknown": "没有这个设置。{near}",
        "near": "是不是想写 {key}？",
        "not_near": "请删去这一行，或对照 config.yaml 改正名称。",
        "not_adapter": "没有装名为 {name} 的平台。请删去这一段，或先安装提供它的包。",
        "wrong": "应为{what}，现为 {value}。{hint}",
        "int": "整数",
        "float": "数字",
        "bool": " true 或 false",
        "str": "文字",
        "list": "列表",
        "section": "一组设置",
        "choice": " {choices} 之一",
        "at_least": "不小于 {least} 的{what}",
        "at_most": "不大于 {most} 的{what}",
        "above": "大于 {least} 的{what}",
        "filled": "非空的文字",
        "shorter": "不超过 {most} 个字的文字",
        "finite": "有限的数字",
        "url": " ws:// 或 wss:// 开头的网址",
        "not_below": "不小于 overlay.min_seconds（{least}）的数字",
        "not_above": "不大于 overlay.max_seconds（{most}）的数字",
        "write_default": "请填合适的值，例如 {default}。",
        "write_choice": "请从中选一个写上。",
        "write_section": "请在它下面另起一行，缩进两格写各项。",
        "write_list": "请写成 [第一项, 第二项]，没有就写 []。",
        "write_quotes": "请给它加上英文引号。",
        "write_nothing": "不需要就删去这一行。",
        "no_bilibili": "这个版本还没有 B 站适配器。请先删去这一行，改用 adapters.websocket 接入，或用 --replay 回放。",
        # what to write for one key
        "adapters.bilibili.room_id": "请填直播间网址末尾的数字。",
        "adapters.websocket.client.url": '例如 "ws://127.0.0.1:8000/chat?token=…"，不用就写 ""。',
        "web.port": "请填 1 到 65535 之间没被占用的端口，例如 57860。",
        "adapters.websocket.server.port": "请填 1 到 65535 之间没被占用的端口，例如 57861。",
        "approval.expire": "单位是秒；0 表示一直等。",
        "moderation.words": "请写文件路径的列表，例如 [words.tsv]；没有就写 []。",
        # the start
        "read_file": "设置：{file}",
        "no_file": "设置：没有 config.yaml，全部用默认值",
    },
    "en": {
        "colon": ": ",
        "command_line": "command line",
        "unreadable": "cannot be read ({reason}). Check the path and its permissions, or name another file with --config.",
        "not_utf8": "is not UTF-8 text. Save it as UTF-8.",
        "syntax": "broken YAML ({reason}). Check colons, quotes and indentation (spaces only) here and one line above.",
        "alias": "YAML references (*{name}) are not supported. Write the value itself.",
        "not_mapping": "must be `name: value`, one a line.",
        "duplicate": "written twice, first on line {first}. Remove one.",
        "no_variable": "the environment has no {name}. Set it, or write the value here.",
        "unknown": "no such setting. {near}",
        "near": "Did you mean {key}?",
        "not_near": "Remove the line, or look the name up in config.yaml.",
        "not_adapter": "no platform named {name} is installed. Remove the section, or install the package that brings it.",
        "wrong": "must be {what}, is {value}. {hint}",
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "str": "text",
        "list": "a list",
        "section": "a group of settings",
        "choice": "one of {choices}",
        "at_least": "{what}, {least} or more",
        "at_most": "{what}, {most} or less",
        "above": "{what}, more than {least}",
        "filled": "text that is not empty",
        "shorter": "text of at most {most} characters",
        "finite": "a finite number",
        "url": "a URL that begins with ws:// or wss://",
        "not_below": "a number not below overlay.min_seconds ({least})",
        "not_above": "a number not above overlay.max_seconds ({most})",
        "write_default": "Write a value that fits, for example {default}.",
        "write_choice": "Write one of them.",
        "write_section": "Write its settings on the lines below, indented by two spaces.",
        "write_list": "Write [first, second], or [] for none.",
        "write_quotes": "Put it in quotes.",
        "write_nothing": "Remove the line if you do not need it.",
        "no_bilibili": "this version has no Bilibili adapter yet. Remove the line and use adapters.websocket or --replay.",
        "adapters.bilibili.room_id": "Write the number at the end of the room's address.",
        "adapters.websocket.client.url": 'For example "ws://127.0.0.1:8000/chat?token=…"; "" for none.',
        "web.port": "Write a free port between 1 and 65535, for example 57860.",
        "adapters.websocket.server.port": "Write a free port between 1 and 65535, for example 57861.",
        "approval.expire": "In seconds; 0 means for ever.",
        "moderation.words": "Write a list of file paths, for example [words.tsv], or [] for none.",
        "read_file": "Settings: {file}",
        "no_file": "Settings: no config.yaml, all defaults",
    },
}


def say(lang: str, text: str, /, **words: object) -> str:
    """The text in `lang`, in Chinese where that language has none."""
    return TEXTS.get(lang, {}).get(text, TEXTS["zh"][text]).format(**words)


def knows(key: str) -> bool:
    """Whether there is a text of this name (a hint for a setting)."""
    return key in TEXTS["zh"]
