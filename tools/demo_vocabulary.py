"""The demo model's own vocabulary: byte-level BPE, so any text can be written and read back byte for byte."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from tools.demo_corpus import Corpus, show

END = "<|endoftext|>"
# A token never crosses these: a run of Chinese, a Latin word, one digit, one mark, a line break, a blank.
WORDS = r"\p{Han}+|[A-Za-z']+|\d|\n+|\s|[^\s\p{Han}A-Za-z'\d]"


def train_tokenizer(corpus: Corpus, size: int, path: Path) -> Tokenizer:
    """`size` entries: the end of a text (id 0), 256 bytes, and what the corpus says most, up to four characters long."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=12,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(corpus), trainer)
    settings = json.loads(tokenizer.to_str())
    # An added token would be found in what viewers type. As a plain entry that no merge leads to, it cannot be.
    settings["added_tokens"] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, ensure_ascii=False, separators=(",", ":")), "utf-8")
    tokenizer = Tokenizer.from_file(str(path))
    assert tokenizer.get_vocab_size() == size and tokenizer.token_to_id(END) == 0
    return tokenizer


def _texts(corpus: Corpus) -> list[str]:
    """Every written text once, for rare words, and many shows, for what is said often; the cues and the scene too."""
    texts = [*corpus.texts()]
    for exchange in islice(show(corpus, Random("vocabulary")), 6000):
        texts += ["观众:", f" {exchange.viewer}", "\n\n", "小铃:", f" {exchange.reply}", "\n\n"]
    return texts
