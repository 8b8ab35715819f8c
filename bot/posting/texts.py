"""What is said of posting, one table a language. Chinese is the one that is always complete."""

from __future__ import annotations

TEXTS = {
    "zh": {
        # outlet.py
        "undelivered": "没有送达：“{words}” {why}",
        "blocked": "拆开发送时，这一段审核未通过：{why}",
        "repeated": "和刚发过的一样，没有再发",
        "off_air": "还没轮到就已经离开画面（{count} 段）",
        "cut_off": "正在发送时被收回，不知道有没有发出",
        "no_answer": "{platform} 没有回应（{why}），不知道有没有发出",
        "odd_answer": "看不懂 {platform} 的回答（HTTP {status}），不知道有没有发出",
        # twitch.py
        "twitch_ready": "播出的话会以 {name} 的名义发到 #{channel}",
        "twitch_token": "Twitch 不认这个令牌（失效或被撤销）。请重新取一个，设好 COHOST_TWITCH_TOKEN，再重新启动。",
        "twitch_scope": "Twitch 令牌缺少权限 {missing}。请重新取一个有这个权限的用户令牌，再重新启动。",
        "twitch_no_user": "这是应用的令牌，不能发言。请换成用户令牌（有 {missing} 权限），再重新启动。",
        "twitch_no_channel": "Twitch 没有频道 {channel}，不能发言。请检查 adapters.twitch.channel，再重新启动。",
        "twitch_dropped": "Twitch 没有发出：{why}（{code}）",
        "twitch_refused": "Twitch 不让这个账号在这里发言：{why}",
        "twitch_too_fast": "Twitch 说发得太快",
        # bilibili.py
        "bilibili_ready": "播出的话会以 UID {uid} 的名义发到直播间 {room}",
        "bilibili_away": "现在连不上 B 站（{why}），没有发",
        "bilibili_account": "B 站不认这个 SESSDATA（没登录或已过期），不能发弹幕。请重新登录，更新 COHOST_BILIBILI_SESSDATA 和 "
        "COHOST_BILIBILI_JCT，再重新启动。",
        "bilibili_csrf": "B 站不认 bili_jct。它要和 SESSDATA 来自同一次登录；请更新 COHOST_BILIBILI_JCT，再重新启动。",
        "bilibili_plain": "B 站的地址不是 https，不发送登录信息。",
        "bilibili_risk": "B 站风控（{code}），先别再发",
        "bilibili_site": "被 B 站屏蔽（f）：观众看不到",
        "bilibili_room": "被直播间的屏蔽词挡下（k）：观众看不到",
        "bilibili_refused": "B 站没有发出：{why}（{code}）",
    },
    "en": {
        "undelivered": "not delivered: “{words}” {why}",
        "blocked": "cut into pieces, this one is blocked: {why}",
        "repeated": "the same as a moment ago; not posted again",
        "off_air": "it left the air before its turn ({count} pieces)",
        "cut_off": "taken back while it was being sent; it may have gone out",
        "no_answer": "no answer from {platform} ({why}); it may have gone out",
        "odd_answer": "an answer of {platform}'s that nobody understands (HTTP {status}); it may have gone out",
        "twitch_ready": "what airs is posted to #{channel} as {name}",
        "twitch_token": "Twitch does not accept the token (expired or revoked). Get a new one, set COHOST_TWITCH_TOKEN, start again.",
        "twitch_scope": "the Twitch token lacks {missing}. Get a user token that has it, and start again.",
        "twitch_no_user": "this is an app's token, which cannot post. Use a user token (with {missing}), and start again.",
        "twitch_no_channel": "Twitch has no channel {channel} to post to. Check adapters.twitch.channel, and start again.",
        "twitch_dropped": "Twitch did not post it: {why} ({code})",
        "twitch_refused": "Twitch does not let this account post here: {why}",
        "twitch_too_fast": "Twitch says that this is too fast",
        "bilibili_ready": "what airs is posted to room {room} as UID {uid}",
        "bilibili_away": "Bilibili cannot be reached now ({why}); nothing was posted",
        "bilibili_account": "Bilibili does not accept SESSDATA (not signed in, or expired). Sign in again, "
        "set COHOST_BILIBILI_SESSDATA and COHOST_BILIBILI_JCT, start again.",
        "bilibili_csrf": "Bilibili does not accept bili_jct. It has to come from the same sign-in as SESSDATA: "
        "set COHOST_BILIBILI_JCT, start again.",
        "bilibili_plain": "Bilibili's address is not https: no cookies are sent there.",
        "bilibili_risk": "Bilibili's risk control ({code}): better not post for now",
        "bilibili_site": "hidden by Bilibili's filter (f): nobody sees it",
        "bilibili_room": "hidden by the room's own words (k): nobody sees it",
        "bilibili_refused": "Bilibili did not post it: {why} ({code})",
    },
}


def say(lang: str, text: str, /, **words: object) -> str:
    """The text in `lang`, in Chinese where that language has none."""
    return TEXTS.get(lang, {}).get(text, TEXTS["zh"][text]).format(**words)
