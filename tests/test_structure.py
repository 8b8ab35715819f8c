"""Rules that cross files: who may import whom, who may approve, and what no setting may ever say."""

from __future__ import annotations

import ast

import pytest

from tests.syntax import ROOT, calls, imports, modules

# A module may import from the rows above its own, and a package from itself. Nothing else.
LAYERS = (
    ("bot.errors", "bot.letters", "bot.pace"),
    ("bot.messages", "bot.scenario"),
    ("adapters", "moderation", "bot.engine", "bot.intake", "bot.approval", "bot.feed"),
    ("bot.cards", "bot.chapter", "bot.save", "bot.rules", "bot.voices", "bot.findings", "bot.held", "bot.asking"),
    (
        "bot.view",
        "bot.outlets",
        "bot.posting",
        "bot.own_words",
        "bot.aired",
        "bot.staging",
        "bot.rulings",
        "bot.scenario_files",
    ),
    ("bot.board", "bot.figures"),
    ("bot.show", "bot.desk"),
    ("bot.web",),
    ("bot.config",),
    ("bot.backstage",),
    ("bot.app",),
    ("bot.bench",),
    ("bot.check", "bot.scenario_commands"),
    ("bot.__main__",),
)

PRIVATE = ("bot.desk", "bot.cards", "bot.chapter", "bot.figures")


def part(module: str) -> str | None:
    """The row entry a module belongs to; None for what is not ours."""
    known = [name for row in LAYERS for name in row if module == name or module.startswith(f"{name}.")]
    return max(known, key=len, default=None)


def rank(name: str) -> int:
    return next(number for number, row in enumerate(LAYERS) if name in row)


@pytest.mark.parametrize(("module", "tree"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_go_one_way(module: str, tree: ast.Module) -> None:
    """Every import is of a layer above, or stays in its own package."""
    if module == "bot":
        return
    own = part(module)
    assert own is not None, f"{module} has no place in LAYERS"
    for imported in imports(tree):
        other = part(imported)
        if other is not None and other != own:
            assert rank(other) < rank(own), f"{module} imports {imported}"


def test_only_the_show_and_the_web_approve() -> None:
    """Lock 4: no other call site of `.approve(` exists."""
    sites = calls("approve")
    assert "bot.show" in sites
    assert all(site == "bot.show" or site.startswith("bot.web.") for site in sites), sites


def test_operators_are_made_at_the_sign_in_only() -> None:
    """Lock 4: whoever approves has signed in."""
    assert calls("Operator") == {"bot.web.auth"}


def test_only_the_queue_mints_and_only_the_show_airs() -> None:
    """Lock 2: an Approved comes from ApprovalQueue.air, which the show calls."""
    assert calls("Approved") == {"bot.approval"}
    assert calls("air") == {"bot.show"}


def test_outlets_take_only_approved() -> None:
    """Lock 1: every `show` method of an outlet takes one Approved."""
    tree = dict(modules())["bot.outlets"]
    shows = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and node.name == "show"]
    assert len(shows) >= 2
    for function in shows:
        arguments = [ast.unparse(argument.annotation) for argument in function.args.args[1:] if argument.annotation]
        assert arguments == ["Approved"]


def test_what_is_posted_is_a_piece_of_what_was_approved() -> None:
    """Lock 1, for chats: an outlet shows an Approved, a poster posts a Piece, and a Piece is cut out of an Approved."""
    found: dict[str, set[str]] = {"show": set(), "post": set()}
    for module, tree in modules():
        if module.startswith("bot.posting"):
            for node in ast.walk(tree):
                if isinstance(node, ast.AsyncFunctionDef) and node.name in found:
                    found[node.name] |= {ast.unparse(a.annotation) for a in node.args.args[1:] if a.annotation}
    assert found == {"show": {"Approved"}, "post": {"Piece"}}
    makers = {module for module in calls("Piece") if not module.startswith("bot.engine.")}  # which has others
    assert makers == {"bot.posting.pieces"}


def test_the_desk_makes_nothing_public() -> None:
    """The words that are confirmed there become part of a story. Outlets, posting, the queue and the show are out of its
    reach, and of its handlers'; so they are for figures, cards and chapters."""
    public = ("bot.outlets", "bot.posting", "bot.show", "bot.approval")
    harmless = {"bot.approval.Operator", "bot.approval.State"}  # who did it, and what has become of a card
    private = {module: tree for module, tree in modules() if module.startswith((*PRIVATE, "bot.web.desk"))}
    assert len(private) > 40
    for module, tree in private.items():
        reached = {imported for imported in imports(tree) if imported.startswith(public)} - harmless
        assert not reached, f"{module} reaches {reached}"
    assert not (calls("approve") | calls("air")) & set(private)


@pytest.mark.parametrize("package", PRIVATE)
def test_nothing_that_publishes_is_near_what_is_private(package: str) -> None:
    """Not through others either: whatever its modules import, and what that imports, has no outlet in it."""
    trees = dict(modules())
    reached, new = set[str](), {module for module in trees if module.startswith(package)}
    while new:
        reached |= new
        found = {imported for module in new for imported in imports(trees[module])}
        new = {module for one in found for module in (one, one.rpartition(".")[0]) if module in trees} - reached
    assert "bot.scenario" in reached
    assert not {one for one in reached if one.startswith(("bot.outlets", "bot.posting", "bot.show", "bot.web"))}


def test_adapters_cannot_send() -> None:
    """Lock 5: nothing of outlets, show or approval is within an adapter's reach, and none has a sending method."""
    for module, tree in modules():
        if not module.startswith("adapters"):
            continue
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        methods = {n.name for c in classes for n in c.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not methods & {"send", "say", "post", "show", "publish", "reply", "broadcast"}, module


def test_no_setting_approves_by_itself() -> None:
    """There is no auto_approve, by no name, in settings, code or pages."""
    for path in [ROOT / "config.yaml", *ROOT.glob("bot/**/*.py"), *ROOT.glob("bot/**/*.js")]:
        text = path.read_text(encoding="utf-8").lower().replace("-", "_")
        for name in ("auto_approve", "autoapprove", "auto_publish", "autopublish", "approve_all"):
            assert name not in text, f"{name} in {path}"


def test_the_panels_process_imports_no_torch() -> None:
    """Only the worker's side of the engine may: the panel must answer in about a second."""
    heavy = {m for m, tree in modules() if any(i.split(".")[0] in ("torch", "rwkv", "numpy") for i in imports(tree))}
    assert heavy and all(module.startswith("bot.engine.") for module in heavy), heavy
