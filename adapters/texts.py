"""What the adapters say to people, one table a language. Chinese is the one that is always complete."""

from __future__ import annotations

TEXTS = {
    "zh": {
        # adapters/__init__.py
        "unknown_adapter": "没有名为 {name} 的适配器。可用的有：{names}。",
        "two_adapters": "有两个适配器都叫 {name}：{both}。请卸载其中一个。",
        "broken_adapter": "适配器 {name}（{origin}）无法载入：{reason}。请更新或卸载这个包。",
        # adapters/supervisor.py
        "silent": "{seconds:.0f} 秒没有任何动静",
        "ended": "连接结束",
        "lost": "连接断开：{why}",
        "wait_long": "平台要求稍后再试：{why}",
        "gap": "断线 {seconds:.0f} 秒，期间的消息没有收到",
        "fault": "连接出错（{why}），已重连；若反复出现请报告给适配器的作者",
        # adapters/wire.py; the value is added in front of these
        "not_json": "不是 JSON。请每帧只发一个 UTF-8 编码的 JSON 对象。",
        "not_object": '应为 JSON 对象，例如 {{"type": "danmaku", "user": {{"name": "阿强"}}, "text": "晚上好"}}。',
        "kind": "应为以下之一：{kinds}。",
        "user": '应为对象。请写成 {{"id": "…", "name": "…"}}。',
        "viewer": "缺少观众的名字。请填 user.name，最好也填 user.id。",
        "word": "应为字符串。",
        "text": "弹幕不能没有文字。",
        "price": "应为不小于 0 的数。请填人民币元数，例如 30。",
        "time": "应为自 1970 年起的秒数，例如 1700000000。不知道就不要填。",
        "roles": '应为字符串的列表，例如 ["moderator"]。',
        "long_id": "太长，最多 {limit} 个字符。",
        "field": "字段 {field} 现为 {value}：{advice}",
        # adapters/websocket.py
        "no_token": "聊天接口没有令牌，不能启动。请设置环境变量 COHOST_CHAT_TOKEN。",
        "port_taken": "聊天接口无法监听 {host}:{port}（{reason}）。"
        "请关掉占用它的程序，或改 adapters.websocket.server.port。",
        "listening": "{peers} 个程序已连接",
        "nobody": "还没有程序连接",
        "bad_url": "adapters.websocket.client.url：应为 ws:// 或 wss:// 开头的网址。",
        "refused": "{place} 拒绝了连接（HTTP {status}）。请检查网址里的令牌。",
        "closed": "对方关闭",
        "calling": "正在连接 {place}",
        "connected": "已连接 {place}",
        "lost_place": "{place} 断开（{reason}），{pause:.1f} 秒后重连",
        # adapters/replay.py
        "no_file": "读不到录像 {path}（{reason}）。请检查路径；自带的演示写 demo。",
        "bad_lines": "录像有 {count} 处错误：\n{mistakes}",
        "and_more": "……还有 {count} 处",
        "empty": "{path}：里面一条消息也没有。",
        "long_line": "一行太长，最多 {limit} 字节。",
        "at": "应为从开头算起的秒数，不小于 0。",
        "backwards": "应不小于上一行的 {before}。",
        "speed": "--speed：应为不小于 0 的数（0 表示不等待，尽快放完），现为 {speed}。",
        "playing": "回放 {name}：第 {done} 条，共 {total} 条",
        "played": "回放结束，共 {total} 条",
    },
    "en": {
        "unknown_adapter": "There is no adapter named {name}. Known: {names}.",
        "two_adapters": "Two adapters are named {name}: {both}. Uninstall one of them.",
        "broken_adapter": "The adapter {name} ({origin}) cannot be loaded: {reason}. Update or uninstall that package.",
        "silent": "no sign of life for {seconds:.0f} s",
        "ended": "the connection ended",
        "lost": "connection lost: {why}",
        "wait_long": "the platform asks to come back later: {why}",
        "gap": "away for {seconds:.0f} s; what was written meanwhile did not arrive",
        "fault": "the connection failed ({why}) and was made again; if it goes on, tell the adapter's author",
        "not_json": "Not JSON. Send one JSON object in UTF-8 a frame.",
        "not_object": 'Must be a JSON object such as {{"type": "danmaku", "user": {{"name": "Ann"}}, "text": "hi"}}.',
        "kind": "must be one of: {kinds}.",
        "user": 'must be an object. Write {{"id": "…", "name": "…"}}.',
        "viewer": "the viewer has no name. Fill in user.name, and user.id if you can.",
        "word": "must be a string.",
        "text": "a danmaku must have text.",
        "price": "must be a number, 0 or more. Write the price in yuan, for example 30.",
        "time": "must be seconds since 1970, for example 1700000000. Leave it out if unknown.",
        "roles": 'must be a list of strings, for example ["moderator"].',
        "long_id": "too long: at most {limit} characters.",
        "field": "Field {field} is {value}: {advice}",
        "no_token": "The chat port has no token and does not start. Set COHOST_CHAT_TOKEN in the environment.",
        "port_taken": "Cannot listen for chat on {host}:{port} ({reason}). "
        "Close the program that holds it, or change adapters.websocket.server.port.",
        "listening": "{peers} connected",
        "nobody": "nobody has connected yet",
        "bad_url": "adapters.websocket.client.url: must be an address that starts with ws:// or wss://.",
        "refused": "{place} refused the connection (HTTP {status}). Check the token in the address.",
        "closed": "closed by the other side",
        "calling": "connecting to {place}",
        "connected": "connected to {place}",
        "lost_place": "lost {place} ({reason}), again in {pause:.1f} s",
        "no_file": "Cannot read the recording {path} ({reason}). Check the path; the one that ships is called demo.",
        "bad_lines": "The recording has {count} mistakes:\n{mistakes}",
        "and_more": "… and {count} more",
        "empty": "{path}: holds no message.",
        "long_line": "A line is too long: at most {limit} bytes.",
        "at": "must be seconds from the beginning, 0 or more.",
        "backwards": "must not be less than {before}, the line before.",
        "speed": "--speed: must be a number, 0 or more (0 plays without waiting); it is {speed}.",
        "playing": "replaying {name}: {done} of {total}",
        "played": "replay finished, {total} messages",
    },
}


def say(lang: str, key: str, **values: object) -> str:
    """The sentence `key` in `lang` with the values filled in; an unknown language speaks Chinese."""
    return TEXTS.get(lang, TEXTS["zh"])[key].format(**values)
