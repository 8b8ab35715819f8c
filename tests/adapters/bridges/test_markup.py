"""HTML from a page becomes the words in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bridges.markup import LENGTH, plain


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("hello", "hello"),
        ("a &amp; b &lt;3 &#x1F600; &nbsp;", "a & b <3 😀 \xa0"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("<b>bold</b> and <i class='x'>not</i>", "bold and not"),
        ('<img src="https://x/1.png" alt="Kappa"> hi', "Kappa hi"),
        ("<img alt=':>' src=x>ok", ":>ok"),
        ('<img src="x">', ""),
        ("one<br>two<p>three</p>", "one two three"),
        ("<script>alert('<b>')</script>after", "after"),
        ("<STYLE>b{}</STYLE><svg><text>no</text></svg>yes", "yes"),
        ("<!-- secret -->seen<!DOCTYPE x>", "seen"),
        ("i <3 you, 2 < 3 > 1", "i <3 you, 2 < 3 > 1"),
        ("<a href='javascript:x' onclick=\"y\">link</a>", "link"),
        ("cut <b", "cut"),
        ("<![foo", ""),
        ("<script>never closed", ""),
    ],
)
def test_words_stay_and_tags_go(html: str, words: str):
    """Entities are resolved once; an emote is its name; what only looks like a tag is what somebody typed."""
    assert plain(html) == words


tags = st.sampled_from(
    ["<b>", "</b>", "<img alt='", '"', "'", ">", "<", "<!--", "-->", "<script", "&lt;", "&", "x ", "<![", "a"]
)


@given(st.lists(tags, max_size=40).map("".join))
def test_no_input_raises_or_grows(html: str):
    """Whatever a page sends."""
    assert len(plain(html)) <= len(html)


def test_a_hostile_length_is_cut_and_quick():
    """Tags without an end, quotes without an end."""
    for part in ("<a '", "<", "<!--", "<script>", '<img alt="'):
        assert len(plain(part * 100_000)) <= LENGTH
