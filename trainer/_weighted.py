"""Rows that count for more or less than one: the loss of each token times the weight of its row.

Divided by the number of labels all the same, so that weights with a mean of 1 keep the size of the loss and its steps.
"""

from __future__ import annotations

import torch


def of_rows(rows: list[dict]) -> dict[str, torch.Tensor]:
    """The weights of the rows of a batch as part of it; nothing for rows without."""
    return {"weights": torch.tensor([row["weight"] for row in rows])} if "weight" in rows[0] else {}


def collator(padded):
    """The batch that `padded` makes of the rows, with their weights."""

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        plain = [{key: value for key, value in row.items() if key != "weight"} for row in rows]
        return {**padded(plain), **of_rows(rows)}

    return collate


def loss(model, batch: dict[str, torch.Tensor], count=None) -> torch.Tensor:
    """Cross-entropy over the labels of a padded batch, divided by `count`, or by how many labels there are."""
    inputs = {key: value for key, value in batch.items() if key not in ("labels", "weights")}
    logits = model(**inputs, use_cache=False).logits[:, :-1].float()
    labels = batch["labels"][:, 1:]
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=-100, reduction="none")
    if "weights" in batch:
        losses = losses * batch["weights"][:, None]
    number = (labels != -100).sum() if count is None else count
    return losses.sum() / torch.as_tensor(number).clamp(min=1)
