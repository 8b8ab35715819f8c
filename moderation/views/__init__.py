"""Ways to read a text, so that a word is found however it is written.

Each takes a text or a `View` and gives a `View`: other letters, and for each of them its place in the original. So a
find in any view can be shown to a person in the words that the viewer wrote.

    plain    one case, one width, one script: ＦｕＣＫ, 𝖋𝖚𝖈𝖐 and f(U+200B)uck are fuck; 臺 is 台
    tight    without what stands between letters, and with runs of one letter as one: f-u-c-k, fuuuck
    leet     digits and signs as the letters that they look like: 1d10t, $h1t
    pinyin   one letter a syllable, whoever writes it: 傻逼, 沙比, shabi, 傻 bi
    shown    for people: what cannot be seen, or turns the text around, as ⟨U+202E⟩
"""

from moderation.views.leet import leet
from moderation.views.pinyin import pinyin
from moderation.views.plain import fold, plain
from moderation.views.shown import shown
from moderation.views.tight import tight
from moderation.views.view import View

__all__ = ["View", "fold", "leet", "pinyin", "plain", "shown", "tight"]
