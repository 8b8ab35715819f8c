"""The random model of `cohost bench engine` as a GGUF file, so that llama.cpp can be measured on the same weights.

Needs the package `gguf` (extra `[bench]`). The names are those that llama.cpp gives to RWKV-7's tensors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import torch

from bot.engine.weights import Shape, Weights

VECTORS = ("w0", "a0", "v0", "k_k", "k_a", "r_k")
SMALL = ("w1", "w2", "a1", "a2", "v1", "v2", "g1", "g2")
LARGE = {
    "att.receptance": "time_mix_receptance",
    "att.key": "time_mix_key",
    "att.value": "time_mix_value",
    "att.output": "time_mix_output",
    "ffn.key": "channel_mix_key",
    "ffn.value": "channel_mix_value",
}
NORMS = {"ln1": "attn_norm", "ln2": "attn_norm_2", "att.ln_x": "time_mix_ln"}


def write_gguf(path: Path, weights: Weights, shape: Shape, quantised: bool) -> None:
    """F16, or Q8_0 for the large matrices as llama.cpp itself quantises them."""
    out: Any = gguf.GGUFWriter(str(path), "rwkv7")
    _settings(out, weights, shape, quantised)

    def add(name: str, tensor: torch.Tensor, form: str = "F32") -> None:
        data = tensor.float().contiguous().numpy()
        kind = getattr(gguf.GGMLQuantizationType, form)
        out.add_tensor(name, gguf.quants.quantize(data, kind), raw_dtype=kind)

    large = "Q8_0" if quantised else "F16"
    add("token_embd.weight", weights["emb.weight"], large)
    add("output.weight", weights["head.weight"], large)
    for part in ("weight", "bias"):
        add(f"token_embd_norm.{part}", weights[f"blocks.0.ln0.{part}"])
        add(f"output_norm.{part}", weights[f"ln_out.{part}"])
    for layer in range(shape.layers):
        ours, theirs = f"blocks.{layer}.", f"blk.{layer}."
        for mine, name in NORMS.items():
            for part in ("weight", "bias"):
                add(f"{theirs}{name}.{part}", weights[f"{ours}{mine}.{part}"])
        for mine, name in LARGE.items():
            add(f"{theirs}{name}.weight", weights[f"{ours}{mine}.weight"], large)
        for name in VECTORS:
            add(f"{theirs}time_mix_{name}.weight", weights[f"{ours}att.{name}"].flatten())
        for name in SMALL:
            source = (
                name if layer else name.replace("v", "a")
            )  # there llama.cpp wants some, of this size, and uses none
            add(f"{theirs}time_mix_{name}.weight", weights[f"{ours}att.{source}"].mT, "F16")
        mixes = torch.stack([weights[f"{ours}att.x_{name}"].flatten() for name in "rwkvag"])
        add(f"{theirs}time_mix_lerp_fused.weight", mixes.view(6, 1, 1, -1))
        add(f"{theirs}channel_mix_lerp_k.weight", weights[f"{ours}ffn.x_k"].flatten())
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def _settings(out: Any, weights: Weights, shape: Shape, quantised: bool) -> None:
    out.add_context_length(1 << 20)
    out.add_embedding_length(shape.width)
    out.add_block_count(shape.layers)
    out.add_layer_norm_eps(1e-5)
    out.add_wkv_head_size(shape.head_size)
    out.add_decay_lora_rank(weights["blocks.0.att.w1"].shape[1])
    out.add_iclr_lora_rank(weights["blocks.0.att.a1"].shape[1])
    out.add_value_residual_mix_lora_rank(weights["blocks.0.att.v1"].shape[1])
    out.add_gate_lora_rank(weights["blocks.0.att.g1"].shape[1])
    out.add_feed_forward_length(weights["blocks.0.ffn.key.weight"].shape[0])
    out.add_head_count(0)
    out.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantised else gguf.LlamaFileType.MOSTLY_F16)
    out.add_tokenizer_model("rwkv")
    out.add_token_list([f"t{n}" for n in range(shape.vocab)])
    out.add_token_types([int(gguf.TokenType.NORMAL)] * shape.vocab)
    out.add_bos_token_id(0)
    out.add_eos_token_id(0)
