"""A batch as one sequence without padding: the prompt that all rows share once, then the rest of each row.

Every row sees the shared part and itself, at the positions it would have alone, so the loss is that of the padded
batch. On a CPU this saves the padding, the repeated system prompt, and the vocabulary scores nobody asks for, which
together are most of the work when answers are short.
"""

from __future__ import annotations

import torch

import _prefix
import _weighted


def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
    """One packed batch of rendered rows. `row_lengths` comes first, for the trainer takes the batch size from it."""
    starts = [next(index for index, label in enumerate(row["labels"]) if label != -100) for row in rows]
    prompts = [row["input_ids"][:start] for row, start in zip(rows, starts, strict=True)]
    shared = _prefix.common_prefix(prompts)
    ids, positions, owners = list(rows[0]["input_ids"][:shared]), list(range(shared)), [-1] * shared
    labels = [-100] * shared
    for number, row in enumerate(rows):
        ids += row["input_ids"][shared:]
        labels += row["labels"][shared:]
        positions += range(shared, len(row["input_ids"]))
        owners += [number] * (len(row["input_ids"]) - shared)
    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    return {
        "row_lengths": lengths,
        **_weighted.of_rows(rows),
        "input_ids": torch.tensor([ids]),
        "labels": torch.tensor([labels]),
        "position_ids": torch.tensor([positions]),
        "owners": torch.tensor(owners),
        # Only counted, by the trainer, for tokens per second: one for each token of each row.
        "attention_mask": torch.ones(1, int(lengths.sum()), dtype=torch.long),
    }


def loss(model, batch: dict[str, torch.Tensor], count=None) -> torch.Tensor:
    """Cross-entropy over the labels of a packed batch, divided by `count`, or by how many labels there are."""
    # The first label of the sequence is never one: a row begins with at least one token of its prompt.
    targets = (batch["labels"][0] != -100).nonzero().flatten()
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=_visible(batch["owners"], model.dtype),
        position_ids=batch["position_ids"],
        use_cache=False,
        logits_to_keep=targets - 1,
    ).logits[0]
    labels = batch["labels"][0][targets]
    if "weights" in batch:
        losses = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="none")
        total = (losses * batch["weights"][batch["owners"][targets]]).sum()
    else:
        total = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum")
    return total / torch.as_tensor(len(targets) if count is None else count).clamp(min=1)


def _visible(owners: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The additive attention mask: what came before and is shared (-1) or of the same row."""
    same = (owners[:, None] == owners[None, :]) | (owners[None, :] == -1)
    allowed = same & torch.ones_like(same).tril()
    mask = torch.full(allowed.shape, torch.finfo(dtype).min, dtype=dtype, device=owners.device)
    return mask.masked_fill(allowed, 0)[None, None]
