"""Prompts that begin alike are computed once: the shared part's keys and values serve every row of a batch.

The layout is [shared prefix][padding][rest of the row], with the padding masked and positions counted without it, so
that a row sees exactly what it would see alone.
"""

from __future__ import annotations

import torch
from transformers import DynamicCache


def is_attention_only(model) -> bool:
    """Whether keys and values are all that a model carries from token to token; a recurrent state has no padding."""
    kinds = getattr(model.config.get_text_config(), "layer_types", None) or []
    return all("attention" in kind and "linear" not in kind for kind in kinds) and not getattr(
        model, "_is_stateful", False
    )


def window(model) -> float:
    """How many columns back the narrowest layer sees; padding inside that distance would push tokens out of it."""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    if kinds and set(kinds) == {"full_attention"}:
        return float("inf")
    size = getattr(config, "sliding_window", None) or getattr(config, "attention_chunk_size", None)
    return size or (float("inf") if not kinds else 0)


def common_prefix(rows: list[list[int]]) -> int:
    """How many first tokens all rows share, leaving at least one token of each row; one row shares with nobody."""
    if len(rows) < 2:
        return 0
    # What the first and the last in order share, all between them share too.
    first, last = min(rows), max(rows)
    length = 0
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        length += 1
    return min(length, min(len(row) for row in rows) - 1)


def encode(model, ids: list[int], device) -> DynamicCache:
    """The keys and values of a prefix, for one row."""
    cache = DynamicCache()
    model(input_ids=torch.tensor([ids], device=device), past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


def spread(cache: DynamicCache, rows: int) -> DynamicCache:
    """A cache for a batch that begins with this prefix; the given cache stays as it is, nothing is copied yet."""
    batch = DynamicCache()
    for index, layer in enumerate(cache.layers):
        batch.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), index)
    return batch


def pad_left(rows: list[list[int]], prefix: int, pad: int) -> dict[str, torch.Tensor]:
    """Input ids, attention mask over prefix and rows, and position ids for the rests of rows after a prefix."""
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), prefix + width), dtype=torch.long)
    mask[:, :prefix] = 1
    for index, row in enumerate(rows):
        ids[index, width - len(row) :] = torch.tensor(row)
        mask[index, prefix + width - len(row) :] = 1
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, prefix:]
    return {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
