"""What findings are sorted into: the names that lists, filters and settings use, with what people read."""

from __future__ import annotations

CATEGORIES = {
    "insult": "辱骂",
    "threat": "威胁",
    "hate": "仇恨",
    "sexual": "色情",
    "minors": "涉未成年人",
    "self_harm": "自伤",
    "violence": "暴力",
    "gambling": "赌博",
    "drugs_weapons": "毒品与武器",
    "ads_fraud": "广告与诈骗",
    "privacy": "隐私",
    "politics": "时政",
    "injection": "操纵模型",
    "quality": "质量",
    "custom": "自定义词",
    "spam": "刷屏",
    "suspect": "疑似",
    "unchecked": "没有查完",
}
