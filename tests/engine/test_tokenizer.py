"""Text to tokens and back, for both kinds of vocabulary."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from bot.engine.text_stops import WholeCharacters
from bot.engine.tokenizer import JsonTokenizer, WorldTokenizer, find_tokenizer
from bot.engine.weights import ModelError
from tests.engine.conftest import byte_level_tokenizer

WORLD = WorldTokenizer()
MIXED = st.text(max_size=40) | st.text(alphabet="晚上好阿强：:\n 。！hello 0123🎉\t\r", max_size=60)


@pytest.fixture(scope="module")
def trie() -> object:
    """The package's own class, read from its file: the package itself must not be imported here."""
    spec = find_spec("rwkv")
    assert spec is not None and spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0])
    namespace: dict[str, type] = {}
    exec((folder / "rwkv_tokenizer.py").read_text("utf-8"), namespace)
    return namespace["TRIE_TOKENIZER"](str(folder / "rwkv_vocab_v20230424.txt"))


def back(tokenizer: WorldTokenizer | JsonTokenizer, text: str) -> str:
    return b"".join(map(tokenizer.token_bytes, tokenizer.encode(text))).decode()


def test_world_is_the_packages_tokenizer(trie: object) -> None:
    """The same ids for every entry and for mixed text."""
    text = "System: 你好\n\n阿强: 晚上好，今天玩什么？🎉 hello   world 12345\r\n\t\n\n『』①龘" * 3
    assert WORLD.encode(text) == trie.encode(text)
    for token, entry in list(trie.idx2token.items())[::7]:
        assert WORLD.token_bytes(token) == entry


def test_the_package_is_not_run_for_its_vocabulary() -> None:
    """Its model code reads switches when it is imported, which are not set yet."""
    code = "import sys; from bot.engine.tokenizer import WorldTokenizer; WorldTokenizer(); sys.exit('rwkv.model' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


@given(MIXED)
def test_world_gives_every_text_back(text: str) -> None:
    """The tokens' bytes joined are the text."""
    assert back(WORLD, text) == text


@given(MIXED)
def test_world_always_takes_the_longest_entry(text: str) -> None:
    """No entry that is longer fits at any token's place: checked the slow way."""
    data, at = text.encode(), 0
    for token in WORLD.encode(text):
        entry = WORLD.token_bytes(token)
        longer = (data[at : at + n] for n in range(len(entry) + 1, 129) if at + n <= len(data))
        assert not any(piece in WORLD._ids for piece in longer)
        at += len(entry)


def test_zero_ends_a_text_and_unknown_ids_say_nothing() -> None:
    """Neither has bytes."""
    assert WORLD.end == 0
    assert WORLD.token_bytes(0) == WORLD.token_bytes(65535) == b""


@given(text=MIXED)
def test_a_byte_level_vocabulary_gives_every_text_back(byte_level: JsonTokenizer, text: str) -> None:
    """Whatever the text, down to single bytes."""
    assert back(byte_level, text) == text


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> JsonTokenizer:
    path = tmp_path_factory.mktemp("level") / "tokenizer.json"
    byte_level_tokenizer(path)
    return JsonTokenizer(path)


@pytest.fixture(scope="module", params=["spaces", "metaspace"])
def byte_fallback(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> JsonTokenizer:
    """BPE with byte fallback, with spaces as they are or as U+2581."""
    path = tmp_path_factory.mktemp("fallback") / "tokenizer.json"
    space = " " if request.param == "spaces" else "\u2581"
    words = ["<|endoftext|>", *(f"<0x{byte:02X}>" for byte in range(256)), space, "你", "好", "你好", "a", "\n"]
    vocab = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocab, [("你", "好")], byte_fallback=True))
    steps = [decoders.ByteFallback(), decoders.Fuse()]
    if request.param == "metaspace":
        tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
        steps.insert(0, decoders.Replace("\u2581", " "))
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(path))
    return JsonTokenizer(path)


@given(text=MIXED)
def test_a_byte_fallback_vocabulary_gives_every_text_back(byte_fallback: JsonTokenizer, text: str) -> None:
    """Known words as words, everything else as bytes."""
    assert back(byte_fallback, text) == text


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> JsonTokenizer:
    """What 20B_tokenizer.json has beside a byte-level vocabulary: composed characters, two special tokens, and runs of
    spaces as whole tokens."""
    path = tmp_path_factory.mktemp("pile") / "20B_tokenizer.json"
    byte_level_tokenizer(path)
    reader = Tokenizer.from_file(str(path))
    reader.normalizer = normalizers.NFC()
    reader.add_special_tokens(["<|padding|>"])
    reader.add_tokens([AddedToken(word, normalized=True) for word in (*(" " * n for n in range(24, 1, -1)), "café")])
    reader.save(str(path))
    return JsonTokenizer(path)


@given(text=MIXED | st.text(alphabet=" 好\n", max_size=60))
def test_a_pile_vocabulary_gives_every_text_back(pile: JsonTokenizer, text: str) -> None:
    """In composed characters, and character by character as their last byte comes."""
    expected = unicodedata.normalize("NFC", text)
    assert back(pile, text) == expected
    characters = WholeCharacters()
    assert "".join(characters.feed(pile.token_bytes(token)) for token in pile.encode(text)) == expected


def test_added_words_are_themselves(pile: JsonTokenizer) -> None:
    """Not written in the byte-level alphabet, in which é is a byte of its own."""
    for word in (" " * 24, "café"):
        assert len(pile.encode(word)) == 1
        assert back(pile, f"a{word}b") == f"a{word}b"


def test_a_character_waits_for_its_last_byte(pile: JsonTokenizer) -> None:
    """No entry has an emoji: its four bytes are four tokens."""
    tokens, characters = pile.encode("🎉"), WholeCharacters()
    assert len(tokens) == 4
    assert [characters.feed(pile.token_bytes(token)) for token in tokens] == ["", "", "", "🎉"]


def test_nobody_types_a_special_token(pile: JsonTokenizer) -> None:
    """A viewer's <|endoftext|> is letters and signs like any other."""
    assert pile.end not in pile.encode("<|endoftext|>") and back(pile, "<|endoftext|>") == "<|endoftext|>"


def test_special_tokens_say_nothing(byte_level: JsonTokenizer) -> None:
    """The end of text never reaches the audience as text."""
    assert byte_level.token_bytes(byte_level.end) == b""
    assert byte_level.token_bytes(10**6) == b""


def test_a_tokenizer_beside_the_model_is_its_own(tmp_path: Path) -> None:
    """Then World by size; anything else says what is missing."""
    model = tmp_path / "m.pth"
    assert isinstance(find_tokenizer(model, 65536), WorldTokenizer)
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        find_tokenizer(model, 4096)
    byte_level_tokenizer(tmp_path / "tokenizer.json")
    assert isinstance(find_tokenizer(model, 4096), JsonTokenizer)
    with pytest.raises(ModelError, match="不是一对"):
        find_tokenizer(model, 100)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="读不懂"):
        find_tokenizer(model, 4096)


def test_a_pile_model_says_which_file_it_lacks(tmp_path: Path) -> None:
    """By its name, from where and into which folder; and takes it under that name."""
    with pytest.raises(ModelError, match=r"20B_tokenizer\.json.*https://.*" + re.escape(str(tmp_path))):
        find_tokenizer(tmp_path / "RWKV-4-Raven.pth", 50277)
    byte_level_tokenizer(tmp_path / "20B_tokenizer.json")
    assert isinstance(find_tokenizer(tmp_path / "RWKV-4-Raven.pth", 50277), JsonTokenizer)


def test_a_world_model_of_fewer_rows_never_reads_beyond_them(tmp_path: Path) -> None:
    """Its last entry, which has no row in such a model, is written in bytes."""
    small = find_tokenizer(tmp_path / "m.pth", 65529)
    last = WORLD.token_bytes(65529).decode()
    assert WORLD.encode(last) == [65529]
    assert small.size == 65529 and max(small.encode(last)) < 65529
    assert b"".join(map(small.token_bytes, small.encode(last))).decode() == last
