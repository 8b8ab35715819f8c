"""Model files: which RWKV one holds, which a name means, and the same model written once more in another number type."""

from __future__ import annotations

import json
import os
import pickle
import random
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from bot.__main__ import main
from bot.engine.models.catalogue import CATALOGUE, SCALES, find_entry
from bot.engine.models.convert import convert, number_type
from bot.engine.models.describe import describe
from bot.engine.models.folder import find_model, models_folder
from bot.engine.models.headers import TensorFacts, read_facts
from bot.engine.models.memory import is_matrix
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import load_model
from bot.engine.version import version_of
from bot.engine.weights import ModelError, read_weights
from bot.errors import UserError

RANKS = (8, 8, 8, 16)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for models."""
    monkeypatch.setenv("COHOST_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture(scope="module")
def half_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An RWKV-7 as the hub has them: a `.pth` in bfloat16."""
    path = tmp_path_factory.mktemp("half") / "rwkv7-half.pth"
    torch.save({name: t.bfloat16() for name, t in random_weights(2, 64, 300, head_size=32, ranks=RANKS).items()}, path)
    (path.parent / "tokenizer.json").write_text('{"model": {"vocab": {"a": 1, "b": 299}}, "added_tokens": []}')
    return path


# -- which version -----------------------------------------------------------------------------------------------------


def tensors(**shapes: tuple[int, ...]) -> dict[str, TensorFacts]:
    """The tensors that tell versions apart; `__` stands for a dot."""
    names = {"emb__weight": (100, 64), "blocks__0__ffn__key__weight": (256, 64), "ln_out__weight": (64,)}
    shapes = {**names, "head__weight": (100, 64), **shapes}
    return {name.replace("__", "."): TensorFacts(shape, "BF16") for name, shape in shapes.items()}


ATT = "blocks__0__att__"
FIVE = {f"{ATT}ln_x__weight": (64,), f"{ATT}time_decay": (2,)}
VERSIONS = {
    "4": {f"{ATT}time_decay": (64,)},
    "5": FIVE,
    "5.1": {**FIVE, f"{ATT}gate__weight": (64, 64)},
    "5.2": {**FIVE, f"{ATT}gate__weight": (64, 64), f"{ATT}time_decay": (2, 32)},
    "6": {**FIVE, f"{ATT}gate__weight": (64, 64), f"{ATT}time_maa_x": (1, 1, 64), f"{ATT}time_faaaa": (2, 32)},
    "7": {f"{ATT}r_k": (2, 32)},
    "7a": {f"{ATT}r_k": (2, 32), "blocks__0__ffn__s_emb__weight": (100, 32)},
    "7b": {f"{ATT}r_k": (2, 32), "blocks__0__ffn__s_emb__weight": (100, 32), "blocks__0__qkv__qq__weight": (64, 8)},
    "": {},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_is_told_from_the_tensors(version: str) -> None:
    """By the rules of the `rwkv` package, whatever the file is called."""
    assert version_of(tensors(**VERSIONS[version])) == version


@pytest.mark.parametrize("version", [version for version in VERSIONS if version])
def test_every_version_is_described(tmp_path: Path, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From a safetensors file; those that cannot run say so."""
    weights = {name: torch.zeros(facts.shape) for name, facts in tensors(**VERSIONS[version]).items()}
    save_file(weights, tmp_path / "misleading-rwkv-4.safetensors")
    assert main(["model", "info", str(tmp_path / "misleading-rwkv-4.safetensors")]) == 0
    out = capsys.readouterr().out
    assert f"RWKV-{version}\n" in out
    assert ("暂不支持" in out) == (version in ("7a", "7b"))


def test_info_says_what_a_model_needs(half_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shape, parameters, memory by number type, the tokenizer beside it."""
    model = describe(read_facts(half_path))
    every = random_weights(2, 64, 300, head_size=32, ranks=RANKS)
    count = sum(tensor.numel() for tensor in every.values())
    assert (model.version, model.layers, model.width, model.heads, model.head_size) == ("7", 2, 64, 2, 32)
    assert (model.vocab, model.parameters, model.types) == (300, count, ("BF16",))
    vectors = sum(tensor.numel() for name, tensor in every.items() if not is_matrix(name))
    half = 2 * count + 2 * vectors
    assert model.memory["cpu fp32"] == 4 * count
    assert model.memory["cpu bf16"] == model.memory["cuda fp16"] == half
    assert model.state == load_model(half_path, "cpu fp32").zero_state().nbytes
    assert "300" in model.tokenizer
    assert main(["model", "info", str(half_path)]) == 0
    assert "RWKV-7" in capsys.readouterr().out


# -- what is refused ---------------------------------------------------------------------------------------------------


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("was-here",)


def broken_files(folder: Path) -> dict[str, Path]:
    """Name of the mistake -> file."""
    whole = folder / "whole.safetensors"
    save_file({"a": torch.zeros(100)}, whole)
    data = whole.read_bytes()
    contents = {
        "empty.safetensors": b"",
        "short.safetensors": data[:-4],
        "header.safetensors": data[:40],
        "huge.safetensors": (1 << 60).to_bytes(8, "little") + b"{}",
        "list.safetensors": (2).to_bytes(8, "little") + b"[]",
        "lies.safetensors": data.replace(b'"shape":[100]', b'"shape":[999]'),
        "page.pth": b"<!doctype html>",
        "empty.pth": b"",
        "model.gguf": b"GGUF\x03\x00\x00\x00rest",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "evil.pth").write_bytes(pickle.dumps({"emb.weight": Evil()}))
    torch.save({"emb.weight": Evil()}, folder / "evil-zip.pth")
    save_file({"blocks.0.att.time_state": torch.zeros(2, 32, 32)}, folder / "state.safetensors")
    save_file({"blocks.0.att.r_k": torch.zeros(2, 32), "emb.weight": torch.zeros(9, 64)}, folder / "part.safetensors")
    return {path.name: path for path in folder.iterdir()} | {"missing.pth": folder / "missing.pth"}


def test_what_is_no_model_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken, foreign, missing or dangerous: exit code 1, nothing run, nothing written."""
    monkeypatch.chdir(tmp_path)
    for name, path in broken_files(tmp_path).items():
        for command in (
            ["info", str(path)],
            ["convert", str(path), str(tmp_path / "new.safetensors"), "--strategy", "cpu fp32"],
        ):
            assert main(["model", *command]) == 1, (name, command)
            error = capsys.readouterr().err.strip()
            assert error and "\n" not in error and "Traceback" not in error, (name, command)
    assert not (tmp_path / "was-here").exists()
    assert not (tmp_path / "new.safetensors").exists()
    assert not list(tmp_path.glob("*.part"))


def test_nonsense_is_never_a_traceback(tmp_path: Path) -> None:
    """Whatever bytes stand in a file, also after a beginning that looks right: one sentence for people."""
    draw = random.Random(5)
    for start in (b"", b"\x80\x02", b"PK\x03\x04", (50).to_bytes(8, "little") + b'{"a":'):
        for number in range(60):
            path = tmp_path / f"{number}{draw.choice(('.pth', '.safetensors'))}"
            path.write_bytes(start + draw.randbytes(draw.randrange(80)))
            with pytest.raises(UserError):
                describe(read_facts(path))


# -- converting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernels", ["0", "1"], ids=["pytorch", "kernels"])
@pytest.mark.parametrize("kind", ["fp32", "bf16", "fp32i8"])
@pytest.mark.parametrize("source", ["half", "full"])
def test_a_converted_model_computes_exactly_the_same(
    tmp_path: Path, half_path: Path, kind: str, source: str, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As loading the source with that strategy does, bit by bit, over a prompt and single steps; eight bits too."""
    monkeypatch.setenv("RWKV_CUDA_ON", kernels)
    if source == "full":
        save_file(random_weights(2, 64, 300, head_size=32, ranks=RANKS), tmp_path / "full.safetensors")
    path = half_path if source == "half" else tmp_path / "full.safetensors"
    new = convert(path, tmp_path / "out" / "new.safetensors", f"cpu {kind}")
    tokens = torch.tensor([[5, 17, 250, 3, 99, 1, 42]])
    results = []
    for file in (path, new):
        model = load_model(file, f"cpu {kind}")
        state = model.zero_state()
        results.append(torch.cat([model.forward(tokens, state), model.forward(tokens[:, :1], state)]))
    assert torch.equal(*results)


def test_a_converted_file_has_the_strategys_types_and_says_where_it_is_from(tmp_path: Path, half_path: Path) -> None:
    """Matrices in the number type, the rest in float32; and the tokenizer goes with it."""
    steps: list[tuple[int, int]] = []
    new = convert(half_path, tmp_path / "new.safetensors", "cuda fp16", lambda done, total: steps.append((done, total)))
    facts = read_facts(new)
    assert {name: t.type for name, t in facts.tensors.items()} == {
        name: "F16" if is_matrix(name) else "F32" for name in read_facts(half_path).tensors
    }
    kept = dict(facts.metadata)
    assert kept.pop("program").startswith("rwkv-cohost ")
    assert kept == {
        "format": "pt", "source": "rwkv7-half.pth", "rwkv_version": "7", "strategy": "cuda fp16", "number_type": "fp16",
    }  # fmt: skip
    with safe_open(new, "pt") as file:
        assert set(file.keys()) == set(facts.tensors)
        assert torch.equal(file.get_tensor("emb.weight"), torch.load(half_path)["emb.weight"].half())
    assert steps == sorted(steps) and steps[-1][0] == steps[-1][1]
    assert (tmp_path / "tokenizer.json").read_bytes() == half_path.with_name("tokenizer.json").read_bytes()


def test_a_file_in_eight_bits_holds_whole_numbers_and_a_scale_for_each_output(tmp_path: Path, half_path: Path) -> None:
    """A quarter of the size in fp32; what is no matrix stays float32, and the embedding as it was."""
    new = convert(half_path, tmp_path / "new.safetensors", "cuda fp16i8")
    kinds = {name: t.type for name, t in read_facts(new).tensors.items()}
    source = torch.load(half_path)
    matrices = {name for name in source if is_matrix(name) and name != "emb.weight"}
    assert matrices == {name for name, kind in kinds.items() if kind == "I8"}
    assert {name for name in kinds if name not in source} == {f"{name}.scale" for name in matrices}
    assert kinds["emb.weight"] == "BF16" and kinds["ln_out.weight"] == kinds["head.weight.scale"] == "F32"
    weights = read_weights(new)
    for name, outputs in (("head.weight", 0), ("blocks.1.att.w1", 1), ("blocks.1.att.g2", 1)):
        step = weights[f"{name}.scale"].unsqueeze(1 - outputs)
        assert len(weights[f"{name}.scale"]) == source[name].shape[outputs]
        assert torch.all((weights[name] * step - source[name]).abs() <= 0.501 * step)
    assert describe(read_facts(new)).parameters == describe(read_facts(half_path)).parameters


def test_eight_bits_can_be_converted_once_more(tmp_path: Path, half_path: Path) -> None:
    """Into eight bits it is a copy; into fp32, what the eight bits stand for."""
    first = read_weights(convert(half_path, tmp_path / "a.safetensors", "cpu fp32i8"))
    again = read_weights(convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors", "cpu fp32i8"))
    assert first.keys() == again.keys() and all(torch.equal(first[name], again[name]) for name in first)
    wide = read_weights(convert(tmp_path / "a.safetensors", tmp_path / "c.safetensors", "cpu fp32"))
    assert torch.equal(wide["blocks.0.att.w1"], first["blocks.0.att.w1"] * first["blocks.0.att.w1.scale"])


@pytest.mark.parametrize("scale", [None, torch.ones(3), torch.ones(1)], ids=["none", "three", "one"])
@pytest.mark.parametrize("kernels", ["0", "1"], ids=["pytorch", "kernels"])
def test_eight_bits_without_fitting_scales_are_refused(
    tmp_path: Path, half_path: Path, scale: torch.Tensor | None, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C++ would read past their end."""
    monkeypatch.setenv("RWKV_CUDA_ON", kernels)
    weights = dict(read_weights(convert(half_path, tmp_path / "a.safetensors", "cpu fp32i8")))
    del weights["head.weight.scale"]
    if scale is not None:
        weights["head.weight.scale"] = scale
    save_file(weights, tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match=r"head.weight.scale"):
        load_model(tmp_path / "b.safetensors", "cpu fp32i8")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_converted_model_is_mapped_not_read(tmp_path: Path, half_path: Path) -> None:
    """The file itself stands in the process's memory map, in the types that the engine wants."""
    new = convert(half_path, tmp_path / "new.safetensors", "cpu bf16")
    weights = read_weights(new)
    assert str(new) in Path("/proc/self/maps").read_text()
    assert weights["emb.weight"].dtype == torch.bfloat16


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path, half_path: Path) -> None:
    """Neither half a file nor one of the right name."""

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(half_path, tmp_path / "new.safetensors", "cpu bf16", stop)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


def test_nothing_that_exists_is_written_over(tmp_path: Path, half_path: Path) -> None:
    """Neither a model nor the tokenizer of another."""
    new = tmp_path / "new.safetensors"
    new.write_bytes(b"precious")
    with pytest.raises(UserError, match="已经有了"):
        convert(half_path, new, "cpu fp32")
    with pytest.raises(UserError, match="别的模型"):
        convert(half_path, tmp_path / "second.safetensors", "cpu fp32")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="别的模型"):
        convert(half_path, tmp_path / "alone" / "new.safetensors", "cpu fp32")
    with pytest.raises(UserError, match="safetensors 结尾"):
        convert(half_path, tmp_path / "new.pth", "cpu fp32")
    assert new.read_bytes() == b"precious"


def test_a_full_disk_is_known_before_writing(tmp_path: Path, half_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and nothing is left."""
    monkeypatch.setattr("bot.engine.models.convert.MARGIN", 1 << 60)
    with pytest.raises(UserError, match="磁盘空间不够"):
        convert(half_path, tmp_path / "new.safetensors", "cpu fp32")
    assert not list(tmp_path.glob("new*"))


def test_a_strategy_names_one_number_type() -> None:
    """Whether this machine has the device or not; two types, or unknown ones, are refused with an example."""
    for text, kind in {"cuda:3 fp16i8": "int8", "cpu fp32i8": "int8"}.items():
        assert number_type(text) == kind
    for text, kind in {"cuda:3 fp16": "fp16", " CPU BF16 ": "bf16", "cuda fp16 *10 -> cuda:1 fp16": "fp16"}.items():
        assert number_type(text) == kind
    assert number_type("auto") in ("fp32", "bf16", "fp16")
    for text in ("cuda fp16 *10 -> cpu fp32", "fp16", "cuda int4", "cuda fp16 -> ", "tpu bf16"):
        with pytest.raises(UserError, match="例如"):
            number_type(text)


# -- names and places --------------------------------------------------------------------------------------------------


def test_the_catalogue_is_sound() -> None:
    """Names are unique, sizes fit the parameters, and the newest of a scale comes first."""
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    for entry in CATALOGUE:
        assert f"-{entry.scale}-" in entry.name
        assert entry.expected_size == pytest.approx(2 * entry.parameters, rel=0.01)
    for scale, facts in SCALES.items():
        dates = [entry.name.split("-")[3] for entry in CATALOGUE if entry.scale == scale]
        assert dates == sorted(dates, reverse=True) and dates
        assert facts.parameters == pytest.approx(12 * facts.layers * facts.width**2 + 2 * 65536 * facts.width, rel=0.12)


def test_a_model_is_found_by_name_scale_or_beginning() -> None:
    """And by nothing that could mean two."""
    name = "rwkv7-g1e-1.5b-20260309-ctx8192"
    for text in (name, f"{name}.pth", "rwkv7-g1e-1.5b", name.upper()):
        assert find_entry(text).name == name
    assert find_entry("1.5b").name == "rwkv7-g1j-1.5b-20260831-ctx16384"
    for text in ("rwkv7-g1e", "", "nothing"):
        with pytest.raises(UserError):
            find_entry(text)


def test_a_downloaded_model_goes_by_its_name(home: Path) -> None:
    """Whole, or its beginning if that is clear; a path stays a path, and what is missing comes back as it is."""
    for name in ("rwkv7-a-0.1b.pth", "rwkv7-b-1.5b.pth", "rwkv7-b-1.5b.safetensors", "notes.txt"):
        (home / name).write_bytes(b"")
    assert find_model("rwkv7-a", home) == home / "rwkv7-a-0.1b.pth"
    assert find_model("rwkv7-a-0.1b", home) == home / "rwkv7-a-0.1b.pth"
    assert find_model("rwkv7-b-1.5b.pth", home) == home / "rwkv7-b-1.5b.pth"
    with pytest.raises(UserError, match="好几个"):
        find_model("rwkv7-b", home)
    for text in ("notes", "missing.pth", f"..{os.sep}x.pth", str(home / "rwkv7-a")):
        assert find_model(text, home) == Path(text)


def test_the_folder_is_the_projects_or_the_persons(tmp_path: Path) -> None:
    """COHOST_MODELS first; else in the project; else the user's data folder."""
    assert models_folder({"COHOST_MODELS": str(tmp_path / "x")}) == tmp_path / "x"
    (tmp_path / "pyproject.toml").write_text("")
    assert models_folder({}, tmp_path) == tmp_path / "models"
    elsewhere = models_folder({}, tmp_path / "site-packages")
    assert elsewhere.name == "models" and "rwkv-cohost" in str(elsewhere)


def test_list_shows_what_is_here_and_what_can_be_had(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its size, one that is not finished too, and every entry of the catalogue on a line of its own."""
    (home / CATALOGUE[0].file).write_bytes(bytes(2_000_000))
    (home / "other.pth.part").write_bytes(bytes(3_000))
    assert main(["model", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(CATALOGUE[0].file in line and "2.0 MB" in line for line in lines)
    assert any("other.pth.part" in line and "没下完" in line for line in lines)
    for entry in CATALOGUE:
        (line,) = [line for line in lines if line.split()[:1] == [entry.name]]
        assert ("已有" in line) == (entry is CATALOGUE[0])


def test_info_takes_a_downloaded_models_name(home: Path, half_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And convert writes where one says."""
    (home / "rwkv7-mine.pth").write_bytes(half_path.read_bytes())
    assert (
        main(["model", "convert", "rwkv7-mine", str(home / "fast" / "mine.safetensors"), "--strategy", "cpu bf16"]) == 0
    )
    assert main(["model", "info", str(home / "fast" / "mine.safetensors")]) == 0
    assert "rwkv7-mine.pth，cpu bf16，bf16" in capsys.readouterr().out
    assert main(["model", "info", "rwkv7-m"]) == 0


def test_a_header_is_plain_json(tmp_path: Path, half_path: Path) -> None:
    """Tensors begin on a page of memory, and each where the one before ends."""
    data = convert(half_path, tmp_path / "new.safetensors", "cpu bf16").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    places = sorted(tuple(entry["data_offsets"]) for entry in header.values())
    assert (8 + length) % 4096 == 0
    assert [end for _, end in places] == [*(start for start, _ in places[1:]), len(data) - 8 - length]
