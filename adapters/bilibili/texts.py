"""What the Bilibili adapter says to people, one table a language. Chinese is the one that is always complete."""

from __future__ import annotations

TEXTS = {
    "zh": {
        # room.py
        "offline": "直播间未开播；弹幕照样会收到",
        "warning": "B 站警告：{detail}",
        "cut_off": "直播被切断：{detail}",
        "not_logged_in": "未登录：B 站把观众的名字和编号打了码，弹幕也会少一部分。"
        "推荐改用直播开放平台（open_live），或填 adapters.bilibili.sessdata。",
        "still_masked": "已登录，但 B 站仍把这个房间观众的名字打了码；推荐改用直播开放平台（open_live）",
        # web.py, web_api.py
        "room": "直播间 {room}",
        "no_room": "adapters.bilibili.room_id：B 站没有直播间 {room}（{code}）。"
        "请填直播间网址 live.bilibili.com/ 后面的数字。",
        "risk": "B 站风控（{code}）",
        "not_json": "B 站返回的不是数据而是网页（{status}）",
        "status": "B 站返回 {status}",
        "code": "B 站返回 {code} {message}",
        "no_token": "没有拿到弹幕服务器的令牌",
        "expired": "SESSDATA 已失效，现在以游客身份收弹幕。请重新登录 B 站，取新的 SESSDATA。",
        # stream.py
        "refused": "弹幕服务器拒绝了登录（{code}），换新令牌重连",
        "no_answer": "弹幕服务器没有回应登录",
        "closed": "弹幕服务器断开",
        # open_live.py
        "game": "开放平台，直播间 {room}",
        "bad_code": "adapters.bilibili.open_live.code：身份码不对（{code}）。"
        "请到 link.bilibili.com/p/center/index#/my-room/start-live 复制主播的身份码。",
        "bad_keys": "开放平台的密钥不对（{code} {message}）。请检查 adapters.bilibili.open_live 的 "
        "access_key_id、access_key_secret 和 app_id。",
        "too_many": "这个直播间的开放平台连接已满（{code}）。请关掉别的同类程序，等几分钟再启动。",
        "ended": "开放平台结束了推送",
        "lapsed": "开放平台的场次已失效（{code}）",
        # __init__.py, blivedm.py
        "no_source": "adapters.bilibili：请填 room_id（直播间网址末尾的数字），或填 open_live 的身份码和密钥。",
        "half_keys": "adapters.bilibili.open_live：缺少 {missing}。四项都要有。",
        "no_transport": "adapters.bilibili.transport：应为 auto、builtin 或 blivedm，现为 {value}。",
        "no_blivedm": "adapters.bilibili.transport 是 blivedm，但没有安装它。请运行 {install}，或改成 auto。",
        "old_blivedm": "装的 blivedm {version} 不能用：PyPI 上的 0.1.1 是别人上传的 2023 年旧版，没有 WBI 签名和 buvid3，"
        "今天的服务器一律回答 −352。请运行 pip uninstall blivedm，再运行 {install}，或把 transport 改成 auto。",
        "blivedm_ended": "blivedm 停止了：{why}",
    },
    "en": {
        "offline": "the room is not on the air; chat still arrives",
        "warning": "Bilibili warns: {detail}",
        "cut_off": "the stream was cut off: {detail}",
        "not_logged_in": "Not logged in: Bilibili masks viewers' names and ids and leaves out part of the chat. "
        "Better use Open Live (open_live), or fill in adapters.bilibili.sessdata.",
        "still_masked": "logged in, yet Bilibili masks this room's viewers; better use Open Live (open_live)",
        "room": "room {room}",
        "no_room": "adapters.bilibili.room_id: Bilibili has no room {room} ({code}). "
        "Write the number behind live.bilibili.com/ in the room's address.",
        "risk": "Bilibili's risk control ({code})",
        "not_json": "Bilibili answered with a page instead of data ({status})",
        "status": "Bilibili answered {status}",
        "code": "Bilibili answered {code} {message}",
        "no_token": "got no token for the chat servers",
        "expired": "SESSDATA has expired; listening as a guest. Sign in at Bilibili again and take the new SESSDATA.",
        "refused": "the chat server refused the login ({code}); calling again with a new token",
        "no_answer": "the chat server did not answer the login",
        "closed": "closed by the chat server",
        "game": "Open Live, room {room}",
        "bad_code": "adapters.bilibili.open_live.code: not a valid identity code ({code}). "
        "Copy the streamer's code from link.bilibili.com/p/center/index#/my-room/start-live.",
        "bad_keys": "Open Live refused the keys ({code} {message}). "
        "Check access_key_id, access_key_secret and app_id of adapters.bilibili.open_live.",
        "too_many": "Open Live takes no more connections to this room ({code}). "
        "Close other programs of the kind, wait some minutes, and start again.",
        "ended": "Open Live ended the push",
        "lapsed": "the Open Live session has lapsed ({code})",
        "no_source": "adapters.bilibili: set room_id (the number at the end of the room's address), "
        "or the identity code and the keys of open_live.",
        "half_keys": "adapters.bilibili.open_live: {missing} missing. All four are needed.",
        "no_transport": "adapters.bilibili.transport: must be auto, builtin or blivedm; it is {value}.",
        "no_blivedm": "adapters.bilibili.transport is blivedm, which is not installed. Run {install}, or write auto.",
        "old_blivedm": "The installed blivedm {version} cannot work: 0.1.1 on PyPI is somebody else's upload of a version "
        "of 2023 without WBI and buvid3, and today's servers answer it −352. "
        "Run pip uninstall blivedm, then {install}, or set transport to auto.",
        "blivedm_ended": "blivedm stopped: {why}",
    },
}


def say(lang: str, key: str, **values: object) -> str:
    """The sentence `key` in `lang` with the values filled in; an unknown language speaks Chinese."""
    return TEXTS.get(lang, TEXTS["zh"])[key].format(**values)
