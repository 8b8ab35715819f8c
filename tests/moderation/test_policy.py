"""What follows from findings: the table of levels, what is excepted for whom, and what nothing can soften."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Role
from moderation.categories import CATEGORIES
from moderation.policy import EXCEPTABLE, Policy, gravest
from moderation.verdict import Action, Direction, Finding

P, M, F, H, D = Action.PASS, Action.MASK, Action.FLAG, Action.HOLD, Action.DROP
C, B, N = Action.CLEAN, Action.BLOCK, Action.HARD_BLOCK


def a_finding(severity: int, category: str = "insult", mask: str = "") -> Finding:
    return Finding(category, severity, "test", 0, 1, "测试", mask=mask)


def action(policy: Policy, finding: Finding, direction: Direction, *roles: Role) -> Action | None:
    (judged,) = policy.judge([finding], direction, roles)
    return judged.action


@pytest.mark.parametrize(
    ("level", "messages", "replies"),
    [
        (0, [P, P, P, H], [C, C, C, N]),
        (1, [P, F, F, H], [C, F, F, N]),
        (2, [F, F, H, H], [F, F, B, N]),
        (3, [F, H, H, H], [F, B, B, N]),
        (4, [H, H, H, H], [B, B, B, N]),
    ],
)
def test_the_table_of_levels(level: int, messages: list[Action], replies: list[Action]) -> None:
    """Every level and severity, written out once more: by the slider and by a single category."""
    for policy in (Policy(level), Policy(2, messages={"insult": level}, replies={"insult": level})):
        assert [action(policy, a_finding(severity), Direction.IN) for severity in (1, 2, 3, 4)] == messages
        assert [action(policy, a_finding(severity), Direction.OUT) for severity in (1, 2, 3, 4)] == replies


def test_a_category_has_a_level_of_its_own_in_each_direction() -> None:
    """Other categories, and the other direction, stay with the slider."""
    policy = Policy(2, messages={"insult": 0})
    assert action(policy, a_finding(3), Direction.IN) is P
    assert action(policy, a_finding(3), Direction.OUT) is B
    assert action(policy, a_finding(3, "threat"), Direction.IN) is H


def test_spam_is_dropped_and_not_held() -> None:
    """It would fill the held lane."""
    assert action(Policy(), a_finding(3, "spam"), Direction.IN) is D
    assert action(Policy(), a_finding(3, "spam"), Direction.OUT) is B


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_a_suspicion_stops_nothing(level: int, severity: int) -> None:
    """What a classifier supposes is marked at most."""
    assert action(Policy(level), a_finding(severity, "suspect"), Direction.IN) in (P, F)
    assert action(Policy(level), a_finding(severity, "suspect"), Direction.OUT) in (C, F)


@pytest.mark.parametrize("level", range(5))
def test_what_is_masked_is_masked_at_every_level(level: int) -> None:
    """For everybody."""
    assert action(Policy(level), a_finding(3, "privacy", "[电话]"), Direction.IN, *Role) is M


def test_an_exception_marks_instead_of_stopping() -> None:
    """For that role and that category, in messages."""
    policy = Policy(exceptions={Role.STREAMER: ["insult"]})
    assert action(policy, a_finding(3), Direction.IN, Role.STREAMER) is F
    assert action(policy, a_finding(3), Direction.IN, Role.MODERATOR) is H
    assert action(policy, a_finding(3, "ads_fraud"), Direction.IN, Role.STREAMER) is H
    assert action(policy, a_finding(3), Direction.OUT) is B


def test_by_default_the_streamer_and_moderators_may_link() -> None:
    """And nobody else; to insult is excepted for no one."""
    for role in Role:
        excepted = role in (Role.STREAMER, Role.MODERATOR)
        assert (action(Policy(), a_finding(3, "ads_fraud"), Direction.IN, role) is F) is excepted
        assert action(Policy(), a_finding(3), Direction.IN, role) is H


@pytest.mark.parametrize("category", sorted(set(CATEGORIES) - EXCEPTABLE))
def test_nobody_is_excepted_from_what_harms(category: str) -> None:
    with pytest.raises(ValueError, match=category):
        Policy(exceptions={Role.STREAMER: [category]})


def test_exceptable_categories_are_categories() -> None:
    assert set(CATEGORIES) >= EXCEPTABLE


levels = st.integers(0, 4)
overrides = st.dictionaries(st.sampled_from(sorted(CATEGORIES)), levels)
policies = st.builds(
    Policy,
    levels,
    messages=overrides,
    replies=overrides,
    exceptions=st.dictionaries(st.sampled_from(list(Role)), st.sets(st.sampled_from(sorted(EXCEPTABLE)))),
)
findings = st.lists(st.builds(a_finding, st.integers(1, 4), st.sampled_from(sorted(CATEGORIES))), min_size=1)


@given(policies, findings, st.sets(st.sampled_from(list(Role))))
def test_no_policy_softens_what_is_forbidden_or_unchecked(
    policy: Policy, found: list[Finding], roles: set[Role]
) -> None:
    """Whatever the levels, the exceptions and the roles, and whatever else was found beside it."""
    message = gravest(policy.judge(found, Direction.IN, roles), Direction.IN)
    reply = gravest(policy.judge(found, Direction.OUT, roles), Direction.OUT)
    hurts = [one for one in found if one.category != "suspect"]
    if any(one.severity == 4 or one.category == "unchecked" for one in hurts):
        assert message in (H, D)
        assert reply in (B, N)
    if any(one.severity == 4 for one in found):
        assert reply is N


@given(st.integers(0, 3), findings)
def test_a_higher_level_is_never_milder(level: int, found: list[Finding]) -> None:
    """In either direction."""
    for direction, order in ((Direction.IN, [P, M, F, H, D]), (Direction.OUT, [C, F, B, N])):
        low, high = (gravest(Policy(one).judge(found, direction), direction) for one in (level, level + 1))
        assert order.index(low) <= order.index(high)


@pytest.mark.parametrize("wrong", [-1, 5])
def test_a_level_is_zero_to_four(wrong: int) -> None:
    for make in (lambda: Policy(wrong), lambda: Policy(messages={"insult": wrong})):
        with pytest.raises(ValueError, match="0 to 4"):
            make()
