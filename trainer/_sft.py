"""Supervised fine-tuning: the trainer of rows whose last message is to be learnt."""

from __future__ import annotations

from collections.abc import Callable

import torch
from datasets import Dataset
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTConfig, SFTTrainer

import _finite
import _packed
import _prefix
import _weighted
from _objectives import Material


class ExactTrainer(SFTTrainer):
    """TRL's SFTTrainer with losses per token: over all parts of an accumulated batch, and over all validation rows.

    `batch_loss` is a loss of ours, or None for TRL's own. `watch` sees the loss of every part before it is learnt from.
    """

    batch_loss: Callable | None = None
    watch: _finite.Watch

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        inputs = dict(inputs)
        numbers = inputs.pop(_finite.NUMBERS)
        if self.batch_loss is None:
            loss = super().compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
        else:
            loss = self.batch_loss(model, inputs, num_items_in_batch)
        if model.training:
            self.watch.see(loss, numbers)
        return loss

    def evaluation_loop(
        self, dataloader, description, prediction_loss_only=None, ignore_keys=None, metric_key_prefix="eval"
    ):
        """The loss of all rows over all their labels: the mean of the batches' means would depend on the batch size."""
        model = self._wrap_model(self.model, training=False, dataloader=dataloader).eval()
        total, tokens, rows = 0.0, 0, 0
        for batch in dataloader:
            inputs = self._prepare_inputs(batch)
            with torch.no_grad(), self.compute_loss_context_manager():
                total += float(self.compute_loss(model, inputs, num_items_in_batch=1))
            tokens += int((inputs["labels"][..., 1:] != -100).sum())
            rows += len(inputs[_finite.NUMBERS])
        loss = total / max(1, tokens)
        _finite.check_evaluation(loss)
        return EvalLoopOutput(None, None, {f"{metric_key_prefix}_loss": loss}, rows)


def make_trainer(material: Material):
    """TRL's SFTTrainer over rows that are rendered already, so that it neither cuts nor drops any.

    On a CPU, batches are packed where this model's loss is the same either way; a GPU has TRL's own kernels.
    """
    model, train, settings = material.model, material.train, material.settings
    # With dropout, what rows share would be dropped for all of them at once: another training.
    is_packed = settings["use_cpu"] and not material.method.get("dropout") and _packs_exactly(model, train)
    is_quantised = getattr(model, "is_quantized", False)
    if settings["use_cpu"] and settings["bf16"] and material.adapter is not None and not is_quantised:
        # Only the frozen weights: the adapter's stay in float32. Not sooner, for the trial needs exact numbers.
        model.to(torch.bfloat16)
    is_weighted = "weight" in train[0]
    trainer = ExactTrainer(
        model=model,
        args=SFTConfig(
            max_length=None,
            packing=False,
            shuffle_dataset=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            # Or a loss that is not a number would be logged as the mean of those before it.
            logging_nan_inf_filter=False,
            **settings,
        ),
        train_dataset=_dataset(train),
        eval_dataset=_dataset(material.validation) if material.validation else None,
        processing_class=material.tokenizer,
        peft_config=material.adapter,
        data_collator=_packed.collate if is_packed else None,
    )
    trainer.batch_loss = _packed.loss if is_packed else _weighted.loss if is_weighted else None
    if is_weighted and not is_packed:
        trainer.data_collator = _weighted.collator(trainer.data_collator)
    trainer.data_collator = _finite.collator(trainer.data_collator)
    trainer.watch = _finite.Watch([row["id"] for row in train], settings["learning_rate"])
    trainer.add_callback(trainer.watch)
    return trainer


def _dataset(rows: list[dict]) -> Dataset:
    plain = [{key: value for key, value in row.items() if key != "id"} for row in rows]
    return Dataset.from_list([{**row, _finite.NUMBERS: number} for number, row in enumerate(plain)])


def _packs_exactly(model, rows: list[dict]) -> bool:
    """Whether this model's loss on packed rows is the loss on each alone: tried on the two longest rows.

    It is not where layers carry a state from token to token, or where a row is longer than an attention window.
    """
    if not _prefix.is_attention_only(model):
        return False
    rows = sorted(rows, key=lambda row: len(row["input_ids"]))[-2:]
    with torch.inference_mode():
        alone = []
        for row in rows:
            ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"][1:])
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
            alone.append(row.get("weight", 1) * torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
        try:
            together = _packed.loss(model, _packed.collate(rows), 1)
        except (TypeError, ValueError, RuntimeError):
            return False
        return torch.allclose(together, sum(alone), rtol=1e-3, atol=1e-3)
