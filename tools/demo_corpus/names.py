"""Viewers' names, which the model learns to read past, and words that do not exist. All invented."""

from __future__ import annotations

from random import Random

WHOLE = (
    "阿强 路人甲 晚风 小鱼干 七月 老王 隔壁老王 momo 用户 匿名 一只鸽子 今天也想摆烂 不吃香菜 月下独酌 熬夜冠军 快乐小狗 "
    "摸鱼达人 南瓜粥 土豆泥 番茄炒蛋 北海 山雀 柚子茶 小圆子 大白 阿黄 二狗 铁柱 翠花 小芳 阿明 小李 老张 陈同学 林深见鹿 "
    "星河滚烫 人间过客 咸鱼翻身 别叫我起床 没睡醒 打工人 早八人 键盘侠 云养猫 桥边红药 雨巷 青柠 薄荷糖 西瓜皮 板栗 花生酥 "
    "Kiki Leo Tom Alice shadow Nova sky Zed Moon Luna Echo Max Mia Jojo ColdBrew NoobMaster pixel_cat Rainy Bob Ken Sora"
).split()
FIRST = "小 大 老 阿 可爱的 快乐的 孤独的 会飞的 不想上班的 迷路的 暴躁的 安静的 爱吃糖的 半夜的 一只 三块钱的 努力的 发呆的 隔壁的 今天的 蓝色 白色 深海 赛博 野生 无敌 云端 奶油 冰镇".split()
LAST = "猫 狗 鱼 熊 兔 鲸 鹿 狐 虎 土豆 橘子 葡萄 豆腐 馒头 星星 月亮 云 风 雨 同学 先生 小姐 师傅 骑士 法师 企鹅 乌龟 咖啡 汽水 饼干 枕头 石头 蘑菇 电线杆 拖鞋 西瓜 海带 仙人掌 玩家 选手 君 酱".split()
LATIN = "abcdefghijklmnopqrstuvwxyz"
MARKS = "🐱 🐶 🌙 ⭐ 🍉 🍀 ✨ 🌸 🐟 🎮 丶 _ 灬 の 。 ～ 喵 吖 呀 er".split()
ODD = "云川岚屿墨砚棠梨舟霁澈沐念安禾苏陌北辰星桐溪夏冬羽晴柒洛笙瑾瑜璃玖歌旭鸢槿茉葵柠檬椰栀芷若冉悠然逸凡宇轩睿博文浩佳欣怡梦琪雪莹倩敏静"


def draw_name(draw: Random) -> str:
    kind = draw.random()
    if kind < 0.25:
        name = draw.choice(WHOLE)
    elif kind < 0.6:
        name = draw.choice(FIRST) + draw.choice(LAST)
    elif kind < 0.75:
        name = "".join(draw.choices(ODD, k=draw.randint(2, 4)))
    elif kind < 0.9:
        name = "".join(draw.choices(LATIN, k=draw.randint(2, 8)))
        name = name.title() if draw.random() < 0.4 else name
    else:
        name = f"{draw.choice(('用户', 'user', 'bili', ''))}{draw.randrange(10 ** draw.randint(2, 8))}"
    if draw.random() < 0.2:
        name += draw.choice(MARKS)
    if draw.random() < 0.15:
        name += str(draw.randrange(1000))
    return name


SYLLABLES = (
    "小大老跳塔星灯镇雾岛来信猫狗鱼鸟虎龙雪风花月石糖米面粉汤饼肉菜果瓜豆茶酒水火山海河湖林木草竹松梅兰菊云雨雷电光影梦魂剑刀枪弓"
    "甲城堡村王国士法师仙魔鬼怪兽机甲车船飞翔战队争霸传奇物语冒险农场餐厅学院医院公园地铁宇宙银河太阳地球黑白红蓝绿紫金银铜铁冰热冷"
    "甜辣酸咸脆软圆方长短高低快慢新旧东西南北春夏秋冬早晚天年日时"
)


def invent(draw: Random) -> str:
    """A word of two to four syllables that hardly anybody has said before."""
    return "".join(draw.choices(SYLLABLES, k=draw.choice((2, 2, 3, 3, 4))))
