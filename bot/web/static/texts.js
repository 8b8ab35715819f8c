// Every word that the page itself says, in Chinese and in English. What viewers and the model say is never in here.

const TEXTS = {
  "page.title": ["场控面板", "Control panel"],
  "page.desk": ["写作台", "Desk"],
  "page.desk.long": ["写作台：剧本、推演、阅读、统计（新窗口）", "The script desk, in a new window"],
  "page.skip": ["跳到当前卡片", "Skip to the current card"],
  "parts.label": ["各部分状态", "State of the parts"],
  "part.engine": ["引擎", "Engine"],
  "part.overlay": ["悬浮窗", "Overlay"],
  "part.save": ["存档", "Store"],
  "part.scenario": ["剧本", "Scenario"],
  "part.words": ["词表", "Word lists"],
  "part.operators": ["场控 {n} 人", "{n} operators"],
  "part.held": ["拦下 {n}", "{n} held"],
  "part.pending": ["未决 {n}", "{n} pending"],
  "part.oldest": ["最久 {age}", "oldest {age}"],
  "engine.loading": ["正在载入", "loading"],
  "engine.ready": ["就绪", "ready"],
  "engine.restarting": ["正在重启", "restarting"],
  "engine.failed": ["不可用", "failed"],
  "engine.first": ["首字 {n} 秒", "first word {n} s"],
  "engine.speed": ["{n} 词/秒", "{n} tok/s"],
  "adapter.connecting": ["正在连接", "connecting"],
  "adapter.live": ["已连接", "connected"],
  "adapter.waiting": ["等待连接", "waiting"],
  "adapter.done": ["已结束", "finished"],
  "adapter.failed": ["已断开", "failed"],
  "adapter.last": ["{age}有消息", "last message {age}"],
  "adapter.none": ["还没有消息", "no message yet"],
  "adapter.retry": ["{left}后重连", "again in {left}"],
  "adapter.tip": [
    "收到 {received} 条，读不懂 {bad} 条，丢弃 {dropped} 条，重复 {duplicates} 条，重连 {reconnects} 次。{detail}",
    "{received} received, {bad} unreadable, {dropped} dropped, {duplicates} twice, {reconnects} reconnects. {detail}",
  ],
  "overlay.none": ["未连接", "not connected"],
  "overlay.idle": ["{n} 个 · 空闲", "{n} · idle"],
  "overlay.air": ["{n} 个 · 播出中", "{n} · on air"],
  "overlay.unseen": ["未连接 · 播出中没人看到", "not connected · nobody sees what is on air"],
  "words.old": ["仍用旧版 · {why}", "old version in use · {why}"],
  "save.failed": ["写入失败", "cannot write"],

  "platform.bilibili": ["B 站", "Bilibili"],
  "platform.replay": ["回放", "Replay"],
  "platform.twitch": ["Twitch", "Twitch"],
  "platform.websocket": ["WebSocket", "WebSocket"],
  "platform.youtube": ["YouTube", "YouTube"],
  "kind.super_chat": ["醒目留言", "Super chat"],
  "kind.gift": ["礼物", "Gift"],
  "kind.guard": ["上舰", "Guard"],
  "kind.enter": ["进场", "Entered"],
  "kind.follow": ["关注", "Followed"],
  "kind.like": ["点赞", "Liked"],
  "role.streamer": ["主播", "Streamer"],
  "role.moderator": ["房管", "Moderator"],
  "role.guard": ["舰长", "Guard"],
  "role.member": ["粉丝团", "Member"],
  "viewer.unknown": ["身份不明", "Unknown"],
  "card.withdrawn": ["平台已撤回该消息", "the platform has deleted this message"],
  "class.mention": ["点名", "Mention"],
  "class.care": ["关怀", "Care"],
  "class.question": ["提问", "Question"],

  "link.connecting": ["正在连接服务器……", "Connecting to the server…"],
  "link.lost": [
    "连接已断开，正在重连（第 {n} 次）。现在的点击不会生效，也不会补发。",
    "Connection lost, trying again ({n}). Nothing you press now is sent, nor sent later.",
  ],
  "pause.label": ["播出开关", "Show control"],
  "pause.run": ["运行", "Run"],
  "pause.hold": ["暂停·保留", "Pause, keep"],
  "pause.drop": ["暂停·清空", "Pause, drop"],
  "paused.hold": ["已暂停：未决内容都留着，不播出，也不写新的。", "Paused: what is pending is kept; nothing airs, nothing new is drafted."],
  "paused.drop": ["已暂停并清空：未决内容已丢弃，新弹幕也不收。", "Paused and dropped: pending items are gone, new messages are not taken."],
  "paused.resume": ["恢复运行", "Resume"],

  "card.label": ["当前卡片", "Current card"],
  "card.own": ["自由发言", "Own line"],
  "card.own.question": ["没有对应的弹幕，由场控发起。", "Answers no message; an operator asked for it."],
  "card.left": ["剩 {left}", "{left} left"],
  "card.forever": ["不限时", "no time limit"],
  "card.merged": ["×{n} 人也在问", "×{n} more ask this"],
  "card.quote": ["悬浮窗上会引用为：{text}", "The overlay will quote: {text}"],
  "card.noquote": ["原话不会出现在悬浮窗上。", "The overlay will not repeat the message."],
  "card.before": ["此前", "Before"],
  "card.why": ["选中原因：{reasons}", "Chosen for: {reasons}"],
  "card.gone": ["{state}{by}", "{state}{by}"],
  "card.next": ["看下一条", "Next card"],
  "card.back": ["拿回来", "Take it back"],
  "drafts.label": ["候选回复", "Proposed replies"],
  "drafts.broken": ["没有写完", "not finished"],
  "drafts.twin": ["与第 {n} 条相同", "same as {n}"],
  "drafts.person": ["场控改过的话", "an operator's words"],
  "drafts.soon": ["马上开始写……", "About to be written…"],
  "drafts.none": [
    "还没有候选。按 R 让模型写几条，或按 E 自己写。",
    "No proposals yet. Press R to have some written, or E to write your own.",
  ],
  "drafts.of": ["{i} / {n} · 左右滑动换一条", "{i} / {n} · swipe for others"],
  "flag.mark": ["⚑ {reason}", "⚑ {category}{reason}"],
  "flag.block": ["⚑ 拦下 · {reason}", "⚑ Blocked · {category}{reason}"],
  "flag.firm": ["⚑ 只能改 · {reason}", "⚑ Must be changed · {category}{reason}"],
  "category.insult": ["辱骂", "Insult"],
  "category.threat": ["威胁", "Threat"],
  "category.hate": ["仇恨", "Hate"],
  "category.sexual": ["色情", "Sexual"],
  "category.minors": ["涉未成年人", "Minors"],
  "category.self_harm": ["自伤", "Self-harm"],
  "category.violence": ["暴力", "Violence"],
  "category.gambling": ["赌博", "Gambling"],
  "category.drugs_weapons": ["毒品与武器", "Drugs and weapons"],
  "category.ads_fraud": ["广告与诈骗", "Ads and fraud"],
  "category.privacy": ["隐私", "Privacy"],
  "category.politics": ["时政", "Politics"],
  "category.injection": ["操纵模型", "Injection"],
  "category.quality": ["质量", "Quality"],
  "category.custom": ["自定义词", "Own list"],
  "category.spam": ["刷屏", "Spam"],
  "category.suspect": ["疑似", "Suspect"],
  "category.unchecked": ["没有查完", "Not checked"],
  "severity.2": ["只标出来", "only marked"],
  "severity.3": ["拦下，写明理由可放行", "stopped, unless a person says why"],
  "severity.4": ["绝不播出", "never aired"],
  "let.title": ["这段话被审核拦下", "The checks have blocked these words"],
  "let.label": ["为什么可以播？理由会留在记录里。", "Why may it go out? The reason is kept in the record."],
  "let.approve": ["放行这一次", "Let it through once"],
  "let.allow": ["以后都放行“{word}”", "Always allow “{word}”"],
  "let.empty": ["请先写理由。", "Write the reason first."],
  "word.title": ["加进自己的词表", "Your own word list"],
  "word.note": ["存在 Save/words.tsv，马上生效。先选中一段字再按 W，就会填在这里。", "Kept in Save/words.tsv, in effect at once. Select some text before pressing W to fill it in."],
  "word.label": ["词", "Word"],
  "word.category": ["类别", "Category"],
  "word.severity": ["遇到时", "When found"],
  "word.block": ["拦下这个词", "Stop this word"],
  "word.allow": ["放行这个词", "Allow this word"],
  "word.forget": ["从词表删掉", "Remove it"],
  "word.short": ["请写两个字以上。", "Two letters at least."],
  "hush.mute": ["禁言 10 分钟", "Mute 10 min"],
  "hush.lift": ["已禁言，剩 {left} · 解除", "Muted, {left} left · lift"],
  "held.label": ["被拦下的", "Held"],
  "held.release": ["放行", "Release"],
  "held.dismiss": ["丢弃", "Drop"],
  "muted.label": ["禁言中", "Muted"],
  "muted.lift": ["解除", "Lift"],
  "history.override": ["放行理由：{reason}", "Let through: {reason}"],
  "editor.label": ["修改后播出的话", "The words to air"],
  "editor.count": ["{n} / {max} 字", "{n} / {max}"],
  "editor.start": ["以此开头再写几条", "More starting with this"],
  "editor.cancel": ["取消", "Cancel"],
  "editor.approve": ["认可这段话", "Approve these words"],
  "editor.kept": ["取消后文字会留着，再按 E 可以接着改。", "Cancelling keeps the text: press E to go on."],

  "queue.label": ["未决内容", "Pending"],
  "queue.empty": ["没有别的卡片在等。", "No other card is waiting."],
  "queue.written": ["{done}/{n} 条写好", "{done}/{n} written"],
  "queue.error": ["没写成", "not written"],
  "waiting.label": ["候场", "Waiting room"],
  "waiting.empty": [
    "没有弹幕在等。直播间有人说话，就会出现在这里；也可以用 --replay demo 放一段演示。",
    "No message waits. What viewers write appears here; --replay demo plays a recorded chat.",
  ],
  "waiting.answer": ["先答它", "Answer it now"],
  "passed.label": ["没有回答的", "Passed over"],
  "passed.empty": ["没被选中的弹幕和原因会列在这里，可以点“回答它”。", "Messages not chosen appear here with the reason; one tap answers them."],
  "passed.answer": ["回答它", "Answer it"],
  "reason.expired": ["等太久", "waited too long"],
  "reason.full": ["候场已满", "room was full"],
  "reason.cooldown": ["刚答过这位观众", "viewer answered just now"],
  "reason.duplicate": ["重复", "duplicate"],
  "reason.spam": ["刷屏", "spam"],
  "reason.blocked": ["被审核拦下", "stopped by the checks"],
  "reason.no_text": ["没有文字", "no words"],
  "reason.operator_dropped": ["暂停时清空", "dropped while paused"],
  "reason.answered_recently": ["同样的话刚答过", "answered a moment ago"],
  "reason.muted": ["已禁言", "muted"],
  "reason.withdrawn": ["平台已撤回", "deleted by the platform"],
  "why.new_viewer": ["第一次说话", "first words"],
  "why.many_ask": ["多人在问", "many ask"],
  "why.just_chosen": ["刚被选过", "chosen a moment ago"],
  "why.question": ["提问", "question"],
  "why.mention": ["点名主播", "mentions the host"],
  "why.paid": ["付费", "paid"],
  "why.moderator": ["房管", "moderator"],
  "why.member": ["粉丝团", "member"],
  "why.long": ["太长", "long"],
  "why.link": ["有链接", "has a link"],
  "why.operator": ["场控点选", "asked for by an operator"],

  "air.label": ["播出中", "On air"],
  "air.empty": ["现在没有播出。认可一条，就会出现在这里和悬浮窗上。", "Nothing is on air. Approve a reply and it shows here and on the overlay."],
  "air.next": ["待播", "Up next"],
  "history.label": ["记录", "Record"],
  "history.empty": ["处理过的内容会列在这里，丢弃和过期的可以撤销。", "What was decided appears here; rejected and expired items can be undone."],
  "state.pending": ["等待中", "Pending"],
  "state.approved": ["已认可", "Approved"],
  "state.aired": ["播出中", "On air"],
  "state.done": ["已播出", "Aired"],
  "state.rejected": ["已丢弃", "Rejected"],
  "state.expired": ["已过期", "Expired"],
  "state.recalled": ["已撤回", "Recalled"],
  "state.edited": ["改过", "edited"],
  "by.operator": ["场控", "an operator"],
  "by": ["（{name}）", " ({name})"],
  "list.more": ["{n} 条新内容", "{n} new"],

  "say.label": ["自己说一句", "A line of your own"],
  "say.placeholder": ["以 {name} 的名义……", "As {name}…"],
  "say.send": ["直接播出", "Say it"],
  "say.generate": ["让模型接着写", "Let the model go on"],

  "cmd.next": ["下一条", "Next card"],
  "cmd.previous": ["上一条", "Previous card"],
  "cmd.approve": ["认可", "Approve"],
  "cmd.reject": ["丢弃", "Reject"],
  "cmd.mute": ["丢弃并禁言 10 分钟", "Reject, mute 10 min"],
  "cmd.mute.short": ["丢弃＋禁言", "Reject + mute"],
  "cmd.edit": ["编辑", "Edit"],
  "cmd.more": ["更多", "More"],
  "cmd.hush": ["禁言这位观众 10 分钟 / 解除", "Mute this viewer 10 min / lift"],
  "cmd.word": ["拦下或放行一个词", "Stop or allow a word"],
  "cmd.word.short": ["词表", "Words"],
  "cmd.held": ["看被拦下的弹幕", "Go to held messages"],
  "cmd.pick": ["选第 {n} 条候选", "Pick draft {n}"],
  "cmd.undo": ["撤销", "Undo"],
  "cmd.recall": ["撤回", "Recall"],
  "cmd.say": ["自己说一句", "Own line"],
  "cmd.hold": ["暂停并保留 / 恢复", "Pause and keep / resume"],
  "cmd.drop": ["暂停并清空", "Pause and drop"],
  "cmd.stop": ["急停", "Stop"],
  "cmd.stop.long": ["急停：立刻清空悬浮窗并暂停", "Emergency stop: clear the overlay at once and pause"],
  "cmd.zen": ["一次只看一张卡", "One card at a time"],
  "cmd.sound": ["提示音开关", "Sound on / off"],
  "cmd.theme": ["深色 / 浅色", "Dark / light"],
  "cmd.lang": ["English", "中文"],
  "cmd.help": ["按键帮助", "Keys"],
  "cmd.sheet": ["播出 · 候场 · 记录", "On air · waiting · record"],
  "cmd.arrivals": ["看新内容", "Show what is new"],
  "stop.again": ["再按一次 Esc 急停", "Esc again to stop"],
  "tab.air": ["播出", "On air"],
  "tab.viewers": ["候场", "Waiting"],
  "tab.record": ["记录", "Record"],
  "tab.tools": ["设置", "Settings"],
  "sheet.close": ["收起", "Close"],
  "sound.on": ["提示音：开", "Sound: on"],
  "sound.off": ["提示音：关", "Sound: off"],
  "theme.auto": ["主题：随系统", "Theme: system"],
  "theme.dark": ["主题：深色", "Theme: dark"],
  "theme.light": ["主题：浅色", "Theme: light"],

  "help.title": ["按键", "Keys"],
  "help.note": [
    "输入文字时按键不起作用，Esc 除外。点一个键可以改成别的。",
    "Keys rest while you type, except Esc. Click a key to change it.",
  ],
  "help.press": ["请按新键……", "Press a key…"],
  "help.reset": ["恢复默认", "Defaults"],
  "help.close": ["关闭", "Close"],

  "empty.title": ["现在没有要处理的", "Nothing to decide"],
  "empty.loading": ["模型正在载入", "The model is loading"],
  "empty.loading.text": ["弹幕先候着，载入完就开始写。", "Messages wait until it is ready."],
  "empty.restarting": ["模型正在重启", "The model is restarting"],
  "empty.restarting.text": ["{detail}", "{detail}"],
  "empty.failed": ["模型没有起来", "The model did not start"],
  "empty.failed.text": ["{detail}", "{detail}"],
  "empty.paused": ["暂停中。按 P 恢复后，会继续写回复。", "Paused. Press P to go on."],
  "empty.adapters": [
    "还没有弹幕来源。先看演示：关掉程序，用 python3 start.py --replay demo 再开；接真的弹幕，见 README 的“接弹幕”。",
    "Nothing sends messages yet. For a demo, start again with python3 start.py --replay demo; for a real chat see README.",
  ],
  "empty.quiet": [
    "有人发弹幕，模型写好的回复就会出现在这里，等你认可。也可以点“让模型接着写”。",
    "When a viewer writes, the model's replies appear here for you to approve.",
  ],

  "note.sending": ["已按下，等服务器确认……", "Sent, waiting for the server…"],
  "note.unfinished": ["这一条还在写，写完才能认可。可按 1–5 选写好的。", "Still being written. Pick a finished one with 1–5."],
  "note.broken": ["这一条没有写完，请选别的，或按 R 再写。", "This one was never finished: pick another, or press R."],
  "note.nodraft": ["还没有可以认可的话。", "There is nothing to approve yet."],
  "note.offline": ["连接已断开，没有发送。", "Not connected: nothing was sent."],
  "note.early": ["卡片刚换，请再看一眼。", "The card has just changed; look again."],
  "note.gone": ["这一条已经处理过了：{state}{by}。", "Already decided: {state}{by}."],
  "note.noanswer": ["服务器没有回音，不会自动重试。请看它现在的状态再决定。", "No answer from the server; it is not tried again. Look at its state first."],
  "note.nothing.undo": ["没有可以撤销的。", "Nothing to undo."],
  "note.nothing.air": ["现在没有播出。", "Nothing is on air."],
  "note.long": ["太长：{n} 字，最多 {max} 字。", "Too long: {n} of {max}."],
  "note.asked": ["已经去写了。", "Being written."],
  "note.said": ["已交出去。", "Handed over."],
  "note.approved": ["已认可：{text}", "Approved: {text}"],
  "note.firm": ["这段话只能改，不能放行：按 E 改。", "These words cannot be let through: press E to change them."],
  "note.allowed": ["“{word}”以后放行。再按一次认可。", "“{word}” is allowed from now on. Approve once more."],
  "note.word.block": ["“{word}”已加进词表。按 W 可以删掉。", "“{word}” is listed. W to remove it."],
  "note.word.allow": ["“{word}”以后放行。按 W 可以删掉。", "“{word}” is allowed. W to remove it."],
  "note.word.forget": ["“{word}”已从词表删掉。", "“{word}” is off the list."],
  "note.muted": ["{name} 禁言 10 分钟。再按一次解除。", "{name} is muted for 10 min. Press again to lift it."],
  "note.unmuted": ["{name} 可以说话了。", "{name} is heard again."],
  "note.nobody": ["平台没有说这是谁，不能只禁言这一位。", "Nobody knows who this is: they cannot be muted alone."],
  "note.release": ["已放行，去候场了。", "Released: it waits for its turn."],
  "note.dismiss": ["已丢弃。", "Dropped."],
  "note.noheld": ["没有被拦下的弹幕。", "Nothing is held."],
  "note.rejected": ["已丢弃。按 U 撤销。", "Rejected. U to undo."],
  "note.stopped": ["已急停：悬浮窗已清空，已暂停。", "Stopped: overlay cleared, paused."],
  "note.new": ["新卡片：{name}：{text}", "New card: {name}: {text}"],
  "note.error": ["没有写成：{text}", "Not written: {text}"],
  "note.failed": ["没有成功（{code}）。", "It did not work ({code})."],

  "time.now": ["刚刚", "now"],
  "time.seconds": ["{n} 秒前", "{n} s ago"],
  "time.minutes": ["{n} 分钟前", "{n} min ago"],
  "time.hours": ["{n} 小时前", "{n} h ago"],
  "span.seconds": ["{n} 秒", "{n} s"],
  "span.minutes": ["{m} 分 {s} 秒", "{m} min {s} s"],

  "login.title": ["登录场控面板", "Sign in to the panel"],
  "login.token": ["令牌", "Token"],
  "login.where": ["在启动程序的窗口里，“场控令牌”那一行。", "In the window that runs the program: the line “Operator's token”."],
  "login.name": ["怎么称呼（可不填）", "Your name (optional)"],
  "login.why": ["几个人一起场控时，能看到是谁处理的。", "With several operators, everyone sees who decided."],
  "login.enter": ["进入", "Enter"],
  "login.wrong": ["令牌不对。请从启动窗口里重新复制。", "Wrong token. Copy it again from the window."],
  "login.many": ["试得太多了，请等一会儿。", "Too many tries; wait a moment."],
  "login.off": ["连不上服务器。程序还在运行吗？", "The server does not answer. Is the program running?"],
};

let column = 0;

export function useLanguage(lang) {
  column = lang === "en" ? 1 : 0;
  document.documentElement.lang = column ? "en" : "zh-CN";
}

/** A page of its own brings its own words: `{"key": ["中文", "English"]}`. */
export function addTexts(more) {
  Object.assign(TEXTS, more);
}

export const language = () => (column ? "en" : "zh");

/** The text of that key; `{name}` is replaced by the value of that name. An unknown key comes back as it is. */
export function t(key, values = {}) {
  const texts = TEXTS[key];
  if (texts === undefined) return key;
  return texts[column].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** What the server has to say stands in Chinese and, after a full stop, in English: the part that the page speaks. */
export function ours(message) {
  const [, chinese, english] = message.match(/^(.*?[\u3000-\u9fff\uff00-\uffef].*?[。！？])\s+([A-Z\d].*)$/s) || [null, message, message];
  return column ? english : chinese;
}

/** The text of `group.code`, or the code itself where it has none: servers may know more codes than this page. */
export function named(group, code) {
  const key = `${group}.${code}`;
  return key in TEXTS ? t(key) : String(code);
}

/** Fill in every element below `root` that names its text: data-t (content), data-t-label, data-t-title, data-t-placeholder. */
export function translatePage(root = document) {
  const into = { t: null, tLabel: "aria-label", tTitle: "title", tPlaceholder: "placeholder" };
  for (const [name, attribute] of Object.entries(into)) {
    const selector = name === "t" ? "[data-t]" : `[data-t-${name.slice(1).toLowerCase()}]`;
    for (const node of root.querySelectorAll(selector)) {
      const text = t(node.dataset[name]);
      if (attribute === null) node.textContent = text;
      else node.setAttribute(attribute, text);
    }
  }
}

export function ago(seconds) {
  if (seconds < 2) return t("time.now");
  if (seconds < 60) return t("time.seconds", { n: Math.floor(seconds) });
  if (seconds < 3600) return t("time.minutes", { n: Math.floor(seconds / 60) });
  return t("time.hours", { n: Math.floor(seconds / 3600) });
}

export function span(seconds) {
  const n = Math.max(0, Math.ceil(seconds));
  if (n < 100) return t("span.seconds", { n });
  return t("span.minutes", { m: Math.floor(n / 60), s: n % 60 });
}
