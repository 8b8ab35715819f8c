"""The CUDA kernels compute what PyTorch computes. Their source runs here on the CPU; on a card where there is one."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bot.engine import wkv
from bot.engine.cuda import library as cuda_library
from bot.engine.cuda import products
from bot.engine.cuda import wkv as cuda_wkv
from bot.engine.cuda.library import SOURCE, library
from bot.engine.cuda.nvrtc import CannotCompile, compiled
from bot.engine.int8 import quantised
from tests.engine.cuda_on_cpu import OnCpu
from tests.engine.test_wkv import by_the_formula, distance, inputs

needs_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA card is missing")

Place = Callable[[Tensor], Tensor]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=needs_card)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Puts tensors where the kernels run: on the CPU, where their source was compiled for it, or on the card."""
    if request.param == "cpu":
        kernels = request.getfixturevalue("on_cpu")
        kernels.launched.clear()
        for module in (cuda_wkv, products):
            monkeypatch.setattr(module, "library", lambda device: kernels)
    else:
        assert library(torch.zeros(1, device="cuda").device) is not None
    return lambda tensor: tensor.to(request.param)


@pytest.mark.parametrize("decay", ["any", "none"])
@pytest.mark.parametrize(("B", "T", "H", "N"), [(2, 1, 3, 32), (1, 2, 1, 64), (3, 9, 2, 64), (1, 5, 1, 128)])
def test_the_scan_is_the_formula(place: Place, B: int, T: int, H: int, N: int, decay: str) -> None:
    """Every head size that has a kernel, one token and several; the state that was given stays."""
    given, S = inputs(B, T, H, N, decay=decay)
    expected, expected_after = by_the_formula(given, S)
    here = place(S.clone())
    y, after = cuda_wkv.wkv_scan(*(place(x) for x in given), here)
    assert distance(y.cpu(), expected) < 3e-6 and distance(after.cpu(), expected_after) < 3e-6
    assert torch.equal(here.cpu(), S)


def test_a_step_changes_the_state_in_place(place: Place) -> None:
    """As `bot.engine.wkv.wkv_step`, with inputs that are slices of something larger too."""
    given, S = inputs(4, 2, 3, 64)
    theirs, ours = S.clone(), place(S.clone())
    expected = wkv.wkv_step(*(x[:, 1] for x in given), theirs)
    y = cuda_wkv.wkv_step(*(place(x)[:, 1] for x in given), ours)
    assert distance(y.cpu(), expected) < 1e-6 and distance(ours.cpu(), theirs) < 1e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 2, 4, 5, 8, 9, 32])
def test_few_rows_are_multiplied_straight_from_eight_bits(place: Place, rows: int, dtype: torch.dtype) -> None:
    """Any number of rows and of outputs; inputs that are no whole number of a warp's stretch; sums in float32."""
    draw = torch.Generator().manual_seed(rows)
    q, scale = quantised(torch.randn(21, 528, generator=draw))
    x = torch.randn(rows, 528, generator=draw).to(dtype)
    expected = x.double() @ (q.double() * scale.double()[:, None]).T
    ours = products.linear_int8(place(x)[None], place(q), place(scale))
    assert ours.shape == (1, rows, 21) and ours.dtype == torch.float32
    assert distance(ours[0].cpu(), expected) < 2e-6


def test_every_number_of_fp16_and_of_eight_bits_is_read_as_it_is(place: Place) -> None:
    """All finite sizes of fp16, either sign among them, and all 255 whole numbers that an 8-bit weight may be."""
    numbers = torch.arange(32768, dtype=torch.int16).view(torch.float16)
    identity, ones = place(torch.eye(16, dtype=torch.int8)), place(torch.ones(16))
    for x in numbers[numbers.isfinite()].view(-1, 32, 16):
        x[::2] *= -1
        assert torch.equal(products.linear_int8(place(x), identity, ones).cpu(), x.float())
    q = torch.arange(-127, 129).clamp(max=127).to(torch.int8).view(16, 16)
    ours = products.linear_int8(place(torch.eye(16).half()), place(q), ones)
    assert torch.equal(ours.cpu(), q.T.float())


def test_sums_larger_than_fp16_holds_are_right(place: Place) -> None:
    """fp16 ends at 65,504; what is multiplied in it may add up to more."""
    x, q = torch.full((2, 512), 100.0).half(), torch.full((16, 512), 127, dtype=torch.int8)
    assert (products.linear_int8(place(x), place(q), place(torch.ones(16))) == 512 * 100 * 127).all()
    assert (products.linear(place(x), place(q.half())) == 512 * 100 * 127).all()


def test_many_rows_take_the_matrix_a_stretch_at_a_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than the kernel is for: PyTorch's product, with never more than a stretch of the matrix in 16 bits."""
    monkeypatch.setattr(products, "STRETCH", 5 * 64)
    seen: list[int] = []
    product = products._product

    def counted(x: Tensor, weight: Tensor) -> Tensor:
        seen.append(len(weight))
        return product(x, weight)

    monkeypatch.setattr(products, "_product", counted)
    q, scale = quantised(torch.randn(21, 64))
    x = torch.randn(3, 40, 64).half()
    ours = products.linear_int8(place(x), place(q), place(scale))
    assert seen == [5, 5, 5, 5, 1]
    assert distance(ours.cpu(), x.double() @ (q.double() * scale.double()[:, None]).T) < 2e-6


def test_the_kernels_are_used_where_they_fit(on_cpu: OnCpu, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else these tests would compare PyTorch with itself. Odd shapes and float32 products are PyTorch's."""
    for module in (cuda_wkv, products):
        monkeypatch.setattr(module, "library", lambda device: on_cpu)
    on_cpu.launched.clear()
    given, S = inputs(1, 2, 1, 64)
    cuda_wkv.wkv_scan(*given, S)
    q, scale = quantised(torch.randn(4, 64))
    for rows in (1, 3, 6):
        products.linear_int8(torch.randn(rows, 64).bfloat16(), q, scale)
    assert on_cpu.launched == ["wkv_64", "int8_bf16_1", "int8_bf16_4", "int8_bf16_8"]
    given, S = inputs(1, 2, 1, 16)
    cuda_wkv.wkv_scan(*given, S)
    products.linear_int8(torch.randn(1, 64), q, scale)
    products.linear_int8(torch.randn(1, 24).half(), q[:, :24].contiguous(), scale)
    assert len(on_cpu.launched) == 4


@pytest.mark.parametrize("capability", [(7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0)])
def test_the_source_compiles_for_every_card_since_2018(capability: tuple[int, int]) -> None:
    """By the very call that a card would be served with; needs NVRTC, but no card."""
    try:
        code = compiled(SOURCE.read_text(encoding="utf-8"), capability)
    except CannotCompile as error:
        if "找不到 NVRTC" not in str(error):
            raise
        pytest.skip("NVRTC is missing (it comes with PyTorch for CUDA, or as nvidia-cuda-nvrtc)")
    assert code.startswith(b"\x7fELF") and all(name in code for name in (b"wkv_64", b"int8_fp16_1", b"int8_bf16_8"))


def test_a_source_that_does_not_compile_says_why() -> None:
    """The compiler's own words go into the log."""
    try:
        compiled("__global__ void f() { nonsense; }", (8, 6))
    except CannotCompile as error:
        if "找不到 NVRTC" in str(error):
            pytest.skip("NVRTC is missing (it comes with PyTorch for CUDA, or as nvidia-cuda-nvrtc)")
        assert "nonsense" in str(error)
    else:
        pytest.fail("it compiled")


def test_without_kernels_pytorch_computes_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No NVRTC, no driver, a compiler that refuses: a slower answer and one line in the log, never a failure."""

    for variable in ("RWKV_CUDA_ON", "RWKV_JIT_ON"):
        monkeypatch.delenv(variable, raising=False)

    def refuse(device: torch.device) -> None:
        raise CannotCompile("no NVRTC")

    monkeypatch.setattr(cuda_library, "Library", refuse)
    cuda_library._attempt.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert library(torch.device("cuda:0")) is None and library(torch.device("cuda:0")) is None
    assert len(caplog.records) == 1 and "no NVRTC" in caplog.text
    cuda_library._attempt.cache_clear()
    given, S = inputs(1, 3, 1, 64)
    assert torch.equal(cuda_wkv.wkv_scan(*given, S)[0], wkv.wkv_scan(*given, S)[0])


@pytest.mark.parametrize("variable", ["RWKV_CUDA_ON", "RWKV_JIT_ON"])
def test_kernels_can_be_switched_off(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is even tried."""
    for name in ("RWKV_CUDA_ON", "RWKV_JIT_ON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cuda_library, "_attempt", lambda device: device)
    assert library(torch.device("cuda:0")) is not None
    monkeypatch.setenv(variable, "0")
    assert library(torch.device("cuda:0")) is None


def test_what_the_driver_refuses_is_said_in_its_words(on_cpu: OnCpu) -> None:
    """As an error of the device, which ends the worker rather than one answer."""
    with pytest.raises(torch.AcceleratorError, match=r"named symbol not found \(500\)"):
        on_cpu.launch("no_such_kernel", (1, 1), 32)
