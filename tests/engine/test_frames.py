"""What the panel and the worker say to each other arrives as it was meant."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.frames import count_frame, drafts_frame, from_line, prompt_of, read_frame, sampling_of, to_line
from bot.engine.sampling.limits import STEPS
from bot.engine.types import Prompt, Sampling

texts = st.lists(st.text()).map(tuple)
prompts = st.builds(
    Prompt,
    texts,
    stops=texts,
    start_with=st.text(),
    keep=st.lists(st.integers(0, 9)).map(tuple),
    against=texts,
    urgent=st.booleans(),
)


words = st.text(min_size=1) | st.integers(0, 99)
samplings = st.builds(
    Sampling,
    seed=st.none() | st.integers(0, 2**48),
    ban=st.lists(words).map(tuple),
    logit_bias=st.lists(st.tuples(words, st.floats(-9, 9))).map(tuple),
    order=st.permutations(STEPS).map(tuple),
)


@given(prompts, samplings)
def test_a_request_arrives_as_it_was_sent(prompt: Prompt, sampling: Sampling) -> None:
    """One line, whatever the words are; nothing is lost and no tuple becomes a list."""
    line = to_line(drafts_frame(3, prompt, 5, sampling))
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    frame = from_line(line)
    assert (frame["answer"], frame["count"]) == (3, 5)
    assert (prompt_of(frame), sampling_of(frame)) == (prompt, sampling)


@given(prompts, st.lists(st.text()))
def test_reading_and_counting_arrive_as_they_were_sent(prompt: Prompt, texts: list[str]) -> None:
    """The same for the other requests."""
    assert prompt_of(from_line(to_line(read_frame(3, prompt)))) == prompt
    assert from_line(to_line(count_frame(4, texts))) == {"do": "count", "answer": 4, "texts": texts}
