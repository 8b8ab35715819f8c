"""What people write who want to talk a model out of its role: patterns, each with how grave it is. Data only.

`WORDS` are matched in the text without spaces and signs, in one case and script, each run of a letter taken once, and
are written here as one would say them: `_squeezed` does the same to them. `SIGNS` are matched in the text with its
signs, for those whose signs are the point. A pattern of one rule may match in many ways; every repetition is bounded.
"""

# ruff: noqa: E501

from __future__ import annotations

import re

from moderation.verdict import NOTABLE, SEVERE
from moderation.views import fold

_BEFORE = (
    "以上|上面|上文|之前|前面|先前|以前|此前|系统|所有|全部|一切|任何|你的?|原[来有先]的?|给你的?|今まで|これまで|前の"
)
_ORDERS = "指令|指示|命令|规则|设定|人设|提示词?|限制|约束|要求|规定|prompt|过滤|审[核查]|记忆|道德|条条框框|内容无效"
_NOT = "不(?:要|用|必|需要?|许|得)?再?|别再?|停止|暂停|暂时不|无需|拒绝"
_FREE = "没有(?:任何|一切)?(?:道德|安全)?(?:限制|约束|规则|审[核查]|底线|道德)|不受(?:任何)?(?:限制|约束|控制|规则)|无(?:限制|审[核查]|约束|规则)"
_LOCK = "限制|约束|过滤器?|审[核查]|束缚|安全模式|安全机制|规则"
_YOUR_CARD = (
    "系统提示词?|人设文本|系统信息|后台配置|(?:你的?|系统|全部|完整|初始).{0,3}(?:提示词|prompt)|"
    "(?:你的?|初始|隐藏|原始|内部|收到的?|完整).{0,4}(?:设定|指令|规则|人设|提示|要求)|"
    "以上(?:的)?(?:全部|所有)?内容|上面(?:收到|所有|全部|的).{0,3}(?:内容|文字|话)|(?:开头|最初|收到).{0,4}(?:那段|第一[句段])"
)
_TELL = "输出|打印|发出|发给|说出|告诉|展示|显示|复述|重复|泄[露漏]|列出|念|翻译|总结|透露|贴出|公开|给我看|写出|背出|描述|交代|是什么|怎么写|原样|完整|逐[字条]|倒着|有哪些|表示して"

WORDS: tuple[tuple[str, int, str], ...] = (
    ("override", SEVERE, f"(?:忽[略畧]|无视|忘[记掉了]?|抛开|丢掉|清空|覆盖|绕过|跳过|违反|解除|取消|摆脱|不用管|不用理会?|(?:{_NOT})(?:遵守|理会?|遵循|服从|管|听)).{{0,4}}(?:{_BEFORE}).{{0,6}}(?:{_ORDERS})"),
    ("override", SEVERE, f"(?:{_BEFORE}).{{0,6}}(?:{_ORDERS}).{{0,5}}(?:忘[掉了记]|作废|无效|失效|不算数|取消|删[掉除]|清[空除]|(?:を)?(?:すべて|全部)?(?:无视|忘れ))"),
    ("override", SEVERE, f"(?:{_NOT})(?:遵守|遵循|服从|受)(?:这个|这些|任何|你的?|系统的?)?(?:{_ORDERS})|忽略.{{0,3}}(?:指令|提示词|规则)"),
    ("override", SEVERE, f"(?:解除|关闭|关掉|取消|停用|突破|打破|摆脱|脱离|绕过|躲过|避开).{{0,3}}(?:了|任何|一切|所有|你的?|安全|道德|内容|敏感词?)?(?:{_LOCK}|敏感词)"),
    ("override", SEVERE, "(?:ignore|disregard|forget|override|bypass|overrule|drop).{0,16}(?:instruct|prompt|your rules|the rules|all rules|previous rules|previousrules|guideline|you were told|restriction|filter|everything above|everything before)"),
    ("override", SEVERE, "(?:ignore|disregard|forget) (?:all )?(?:of )?(?:the |your )?(?:above|previous|prior)(?! stream)|ignoreal rules|stop role ?play|break character|answer as yourself"),
    ("override", SEVERE, "hu(?:lue|lve|shi)|(?:hulue|hulve|wushi|wangji|wangdiao).{0,12}(?:zhiling|sheding|guize|tishi|yaoqiu)"),
    ("override", SEVERE, "oublie.{0,12}instruction|ignora.{0,14}instruc|ignorier.{0,16}anweisung|(?:이전|모든|위).{0,4}(?:지시|명령|규칙).{0,5}무시"),
    ("override", SEVERE, f"{fold('игнорируй')}.{{0,16}}{fold('инструкц')}|{fold('забудь')}.{{0,16}}{fold('инструкц')}"),
    ("override", SEVERE, "(?:指示|命令|设定|ルール|プロンプト|规则).{0,8}(?:を)?(?:无视|忘れ)|无视しろ|忘れろ"),
    ("role", SEVERE, "(?:停止|退出|结束|跳出|脱离|放弃|别再?|不要再?)(?:角色)?扮演|(?:跳出|脱离|退出|抛弃)(?:角色|人设|设定)"),
    ("role", SEVERE, f"(?:扮演|假装|你(?:现在|就|其实)?是|进入|开启|切换到?|启用|打开|激活|变成|成为|想象).{{0,10}}(?:{_FREE}|越狱|开发者?模式|上帝模式|调试模式|维护模式|管理员模式)"),
    ("role", SEVERE, f"(?:ai|人工智能|机器人|助手|世界|故事|剧本|小说|梦境|角色).{{0,12}}(?:{_FREE}|摆脱.{{0,6}}限制)|(?:{_FREE}).{{0,6}}(?:ai|人工智能|机器人|助手|模型)"),
    ("role", SEVERE, "你(?:从此|现在|以后)?不再是|你的身份(?:是|变成|改为)|你的名字(?:不再|改)|你其实是(?:chatgpt|gpt|ai|机器人|模型)|用(?:chatgpt|gpt|ai|人工智能|机器人|真实|模型)的?身份"),
    ("role", NOTABLE, "扮演我?(?:的)?(?:去世|死去|过世|已故)的?|激活码哄|你(?:现在|从现在起)是(?:dan|猫娘|奴隶)|扮演.{0,8}(?:黑客|猫娘)"),
    ("role", SEVERE, "you are now (?:dan|an? unfilter|an? unrestrict|free)|do anything now|(?:act as|pretend).{0,16}(?:no restriction|no rules|unfiltered|unrestricted|no filter)|(?:an? |your )?ai without (?:any )?(?:restriction|rule|filter)|you have no (?:restriction|rule|filter|limit)"),
    ("role", SEVERE, "(?:enable|enter|activate|turn on|switch to).{0,8}(?:developer mode|maintenance mode|debug mode|god mode|dan mode|dev mode)|jailbreak|制限のない(?:ai|ロボット|人工)"),
    ("hijack", SEVERE, "(?:无论|不管|不论).{0,8}(?:问|说|什么).{0,8}(?:都|只)(?:只)?(?:回答|说|回复|输出)|先?(?:别|不要)回答.{0,14}(?:输出|打印|只|说)"),
    ("hijack", SEVERE, "你的?(?:所有|全部|每[句条个次])?(?:回复|回答).{0,6}(?:改成|替换成?|换成|都要|必须)|每(?:句话?|次回复|次回答|条回复).{0,3}(?:都)?(?:要|必须)?(?:以|加上|带上)"),
    ("hijack", SEVERE, "你的?新的?任务(?:是|如下)|新的?(?:指令|指示|规则|命令)(?:如下|是|为)|只(?:许|准|需|需要)(?:说|回答|回复|输出)|只(?:能|可以|要)(?:回答|回复|输出)|其他(?:什么)?(?:都|一律)?不(?:要|许|准|能)说|只说这.{1,3}字"),
    ("hijack", SEVERE, "instead of (?:answer|reply)|your new (?:task|role|instruct|name is)|(?:from now on|please)? ?(?:only|always) (?:answer|reply|respond)(?: with)?|repeat the word|返事を.{0,8}だけ"),
    ("leak", SEVERE, f"(?:{_TELL}).{{0,14}}(?:{_YOUR_CARD})"),
    ("leak", SEVERE, "(?:输出|打印|发出|说出|告诉我?|展示|泄[露漏]|列出|贴出|公开).{0,4}(?:提示词|prompt)"),
    ("leak", SEVERE, f"(?:{_YOUR_CARD}).{{0,12}}(?:{_TELL})|被要求遵守|システムプロンプト"),
    ("leak", SEVERE, "(?:逐字|一字不[差落漏]|原封不动|原样)(?:地|的)?(?:输出|写|念|读|贴|复述|重复|发|给|说)"),
    ("leak", SEVERE, "(?:print|show|reveal|repeat|output|tell|give|leak|translate|summarize|what(?:is|are|'s)?).{0,14}(?:system prompt|your prompt|your (?:initial )?instruction|your rules|your hidden|hidden rules|hidden prompt|initial prompt|text before|text above|everything above|words above|before this message)"),
    ("induce", SEVERE, "(?:回答|回复).{0,8}(?:以|用|从).{0,18}(?:开头|开始)|(?:以|用|从).{0,18}(?:开头|开始|作为开头)(?:来)?(?:回答|回复)|(?:第一句|开头)(?:话)?(?:必须|要|得|一定)是"),
    ("induce", SEVERE, "不(?:准|许|得)(?:说)?(?:抱歉|拒绝|道歉)|(?:回答|回复)里?面?不(?:能|准|许|要|得)(?:出现|说|有|带)|(?:补全|接着写|续写)(?:完)?(?:这|下|以下|上)?(?:面)?(?:一)?(?:句|段|[:“])"),
    ("induce", SEVERE, "(?:start|begin) your?(?: answer|reply|response|sentence|message)|(?:do not|dont|never) (?:apologize|refuse)"),
    ("story", NOTABLE, "(?:故事|小说|剧本|游戏|世界|梦境|虚构|假设|想象|电影|研究|测试环境).{0,24}(?:不遵守|不用遵守|炸药|毒品|具体步骤|关闭.{0,4}限制|不会有人看到)|story where an ai|教.{0,4}做炸[药弹]"),
    ("code", SEVERE, "(?:执行|运行)(?:以下|下面|这段|这个)?代码|执行a b|(?:运行|执行)并?输出|拼起来.{0,4}(?:照做|执行|说)|(?:照做|照办)[:：]?|(?:取出来|首字|读出来).{0,6}(?:执行|照做)"),
    ("encoded", SEVERE, "(?:base64|rot13|十六进制|摩斯|莫尔斯|凯撒|二进制|hex).{0,20}(?:照做|执行|输出|告诉|回答|follow|decode)|(?:解码|解密|decode).{0,12}(?:base64|执行|照做|follow)|(?:用|拿).{0,6}(?:base64|rot13|摩斯密码|凯撒密码|谐音|暗语).{0,4}(?:输出|告诉|回答|说)|没人(?:能)?审[核查]"),
    ("authority", SEVERE, "我(?:是|就是|才是)(?:你的?|平台|官方|系统)?的?(?:开发者?|开发人员|创造者|程序员|管理员|超级?管理员|超管|主人|作者)(?:.{0,4})(?:命令|执行|关闭|输出|授权|要求|请你?|立即|现在)|作为你的?(?:创造者|开发者|主人|管理员)|我授权你"),
    ("authority", SEVERE, "(?:系统|官方|平台|开发人员)(?:通知|消息|指令|公告|测试).{0,6}(?:你的|进入|请|关闭|更新)|(?:我有|拥有|获得|取得)最高权限|优先级最高.{0,4}(?:必须|服从|执行)|解锁(?:全部|所有)(?:功能|限制|权限)|接下来听我的|听我的不听"),
    ("authority", SEVERE, "i am your (?:developer|creator|admin|owner|maker)|as your (?:developer|creator|owner|admin|maker)|system (?:notice|override|message)|your rules (?:have|has|are|were)|maintenance mode|关闭(?:过滤|审核)"),
    ("parrot", SEVERE, "跟着?我(?:念|读|说|学)(?:一遍|一句)|复读(?:一下)?(?:我[的说下]|下面|这句|以下)|(?:重复|照着|跟读)(?:我的话|我说的|下面|以下|念|读)|把(?:这|下面|以下)(?:句|段|行)话?(?:念|读|说)|(?:原样|请大声)(?:念|读|喊|说)出?"),
    ("parrot", SEVERE, "repeat after me|say exactly|say the following|read aloud|(?:同じこと|次の言葉)を?(?:を)?(?:缲り返し|繰り返し|くり返し)|を?(?:缲|繰)り返して"),
    # Looser, so they only point: an order to the model about what it was told, in whatever words.
    ("override", NOTABLE, "(?:丢[掉开]?|扔[掉了]?|抛|忘|不用在意|不必在意|别在意|失效|作废|重置|违背|违反|推翻|关掉|关了|改掉|清空|清除|抹掉|删掉|没说过|假的|放下|抛弃|不算).{0,10}(?:设定|规矩|预设|人设|条条框框|指令|命令|限制|原则|底线|上下文|身份)"),
    ("override", NOTABLE, "(?:你|上面|前面|原来|旧|所有|预先)的?.{0,8}(?:设定|规矩|预设|人设|条条框框|指令|命令|原则|底线|上下文)(?:什么的)?.{0,8}(?:丢[掉开]?|扔掉|不用在意|不必在意|失效|作废|重置|关掉|清空|清除|抹掉|删掉|是假的)"),
    ("override", NOTABLE, "(?:forget|clear|reset|drop|disregard|no attention to|violate|abandon|remove).{0,20}(?:persona|context|direction|your guard|guidelines|your character|your orders|moral|safety|the earlier|programming)"),
    ("leak", NOTABLE, "(?:你|开发者|他们).{0,6}(?:最开始|最初|一开始|底层|脑子里|背后|内部).{0,10}(?:告知|设定|写了什么|收到|第一[行句段]|指示|指令|规则)|(?:开发者|程序员|作者)给你(?:写|定|设)|copy.{0,6}paste.{0,12}(?:initial|message|above)|(?:did they|were you) (?:tell you|told|given)"),
    ("role", NOTABLE, "你(?:就|今天|现在|其实)?(?:是|不是).{0,10}(?:没有?道德|邪恶|黑化|恶毒|不会拒绝|从不拒绝)|(?:换|切换).{0,3}人格|be evil|no morals|never says? no(?:ai)?$|that never says no|evil version"),
    ("authority", NOTABLE, "(?:我是|管理组|管理员|运营|后台|开发|官方).{0,6}(?:让你|通知你|要求你|允许你|通知小|命令你|叫你)|(?:admin|developer|owner|moderator) speaking|this is (?:the|your) (?:admin|developer|owner)"),
    ("parrot", NOTABLE, "(?:请|帮我|替我|给我)(?:复述|照念|喊一句|说句话)|原话(?:发|念|说)出来|(?:连起来|还原|拼).{0,10}(?:念给|说给|照着?做|照办)|(?:倒过来|反过来)(?:读|念).{0,4}(?:照办|照做|执行)"),
    ("hijack", NOTABLE, "你(?:接下来|之后|以后|今后).{0,6}(?:每个字|每句|所有话).{0,4}(?:都|必须|得)|(?:回复|回答)时.{0,8}(?:换成|改成|叫成|加上)|end every (?:sentence|reply|message)|answer with (?:sure|yes|ok)"),
    ("induce", NOTABLE, "(?:回答|回复).{0,4}(?:起头|开头)|如果你?同意就(?:说|回)"),
)  # fmt: skip

SIGNS: tuple[tuple[str, int, str], ...] = (
    ("parrot", SEVERE, r"(?:跟着?我(?:念|读|说|学)|学我说话?|重复我的话|照着读|复读)\s*[:“\"「『]|(?:^|[,!。，！\s])(?:请|你|快|来){0,2}说(?:一句|出)?\s*[“\"「『].{1,30}[”\"」』]|(?:say|print|output)\s*:?\s*[“\"].{1,40}[”\"]"),
    ("parrot", NOTABLE, r"你(?:来)?(?:念|读|说|复述)(?:一遍|一句|一下)\s*[:“\"]|就说\s*:"),
    ("code", NOTABLE, r"if\s*\(.{1,30}\)\s*\{|(?:\\?x[0-9a-f]{2}){3,}"),
    ("hijack", SEVERE, r"(?:只|仅)?(?:输出|打印|回复|回答)(?:一下)?\s*[:]?\s*[“\"「『]"),
    ("induce", SEVERE, r"(?:接着写|补全|续写).{0,8}[:“\"]"),
    ("code", SEVERE, r"system_?(?:prompt|message)|\{\{.{1,40}\}\}|\$\{.{1,40}\}|<script|drop\s+table|os\.system|[\"']role[\"']\s*:|(?:print|eval|exec)\s*\(.{1,60}\)|(?<![a-z])sudo\s+\S|(?<![a-z])def\s+\w{1,30}\(|rm\s+-rf\s+/"),
    ("code", SEVERE, r"[a-z]\s*=\s*[“\"'].{1,20}[”\"']\s*[;,、].{0,6}[a-z]\s*=\s*[“\"']"),
    ("turn", SEVERE, r"[\[(【（]\s*/?(?:系统|system|用户指令|管理员|开发者)(?:消息|提示|通知|公告|指令)?[^\])】）]{0,6}[\])】）]|(?<![a-z])q\s*:.{1,40}(?<![a-z])a\s*:.{1,40}(?<![a-z])q\s*:"),
    ("turn", SEVERE, r"[-=*]{3,}\s*(?:end|系统|prompt|system|结束|提示)|end\s+of\s+prompt|提示词?结束|结束上文|用户指令优先"),
)  # fmt: skip

# A run of letters, digits, + and / in both cases, as encoded data looks.
ENCODED = re.compile(
    r"(?<![\w/.:-])(?=[\w+/]{0,40}\d)(?=[\w+/]{0,40}[a-z])(?=[\w+/]{0,40}[A-Z])[A-Za-z0-9+/]{16,}={0,2}(?![\w/.])"
)


def _squeezed(pattern: str) -> str:
    return re.sub(r"([a-z])\1", r"\1", pattern.replace(" ?", "").replace(" ", ""))


def compiled_words() -> tuple[tuple[str, int, re.Pattern[str]], ...]:
    return tuple((rule, severity, re.compile(_squeezed(pattern))) for rule, severity, pattern in WORDS)


def compiled_signs() -> tuple[tuple[str, int, re.Pattern[str]], ...]:
    return tuple((rule, severity, re.compile(pattern)) for rule, severity, pattern in SIGNS)
