"""Greedy generation for many prompts: the part they share is computed once, the rest in batches of like length."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import DynamicCache

import _prefix

# Keys and values of one batch are kept under this, so that long prompts make smaller batches instead of no answer.
CACHE_BYTES = 2 << 30


@dataclass(frozen=True)
class Answer:
    """Generated ids without the end of turn, how many were generated with it, and why it ended."""

    ids: list[int]
    generated: int
    finish: str


class Generator:
    """Answers the prompts of one job with one model; the shared prefix is computed when it is made."""

    def __init__(self, model, tokenizer, prompts: list[list[int]], max_new_tokens: int):
        self.model, self.tokenizer, self.prompts, self.max_new_tokens = model, tokenizer, prompts, max_new_tokens
        self.device = model.device
        self.stops = stop_tokens(model, tokenizer)
        # Where the layout could change an answer, a slower one is taken: without a shared prefix where the padding
        # behind it would use up an attention window, and row by row where a recurrent state would see the padding.
        self.is_batched = _prefix.is_attention_only(model)
        fits = max(map(len, prompts)) + max_new_tokens <= _prefix.window(model)
        self.shared = _prefix.common_prefix(prompts) if self.is_batched and fits else 0
        self.cache = None
        if self.shared > 0:
            with torch.inference_mode():
                self.cache = _prefix.encode(model, prompts[0][: self.shared], self.device)

    def all(self, batch_size: int, progress: Callable[[int], None]) -> list[Answer]:
        """An answer for each prompt, in order; `progress` is told how many are done after each batch."""
        order = sorted(range(len(self.prompts)), key=lambda index: (len(self.prompts[index]), index))
        answers: list[Answer | None] = [None] * len(order)
        done = 0
        while done < len(order):
            size = self._fitting(order[done : done + batch_size]) if self.is_batched else 1
            batch = order[done : done + size]
            for index, answer in zip(batch, self.answer(batch), strict=True):
                answers[index] = answer
            done += len(batch)
            progress(done)
        return answers

    @torch.inference_mode()
    def answer(self, indices: list[int]) -> list[Answer]:
        """Greedy answers of some prompts, computed together."""
        rests = [self.prompts[index][self.shared :] for index in indices]
        batch = _prefix.pad_left(rests, self.shared, self.tokenizer.pad_token_id)
        ids, mask = batch["input_ids"].to(self.device), batch["attention_mask"].to(self.device)
        positions = batch["position_ids"].to(self.device)
        cache = _prefix.spread(self.cache, len(indices)) if self.cache else DynamicCache(config=self.model.config)
        texts: list[list[int]] = [[] for _ in indices]
        ended = [False] * len(indices)
        for step in range(self.max_new_tokens):
            logits = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            chosen = logits.argmax(-1)
            for row, token in enumerate(chosen.tolist()):
                if not ended[row]:
                    texts[row].append(token)
                    ended[row] = token in self.stops
            if all(ended) or step == self.max_new_tokens - 1:
                break
            ids, positions = chosen.view(-1, 1), positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(indices), 1)], 1)
        return [
            Answer(text[:-1] if stopped else text, len(text), "stop" if stopped else "length")
            for text, stopped in zip(texts, ended, strict=True)
        ]

    def milliseconds(self, index: int) -> float:
        """How long one prompt alone takes from token ids to answer, its shared prefix being cached."""
        started = time.perf_counter()
        self.answer([index])
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - started) * 1000

    def _fitting(self, batch: list[int]) -> int:
        config = self.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        per_token = 2 * config.num_hidden_layers * heads * width * self.model.dtype.itemsize
        longest = len(self.prompts[batch[-1]]) + self.max_new_tokens
        return max(1, min(len(batch), CACHE_BYTES // (per_token * longest)))


def stop_tokens(model, tokenizer) -> set[int]:
    """Every token that ends a turn, by the model's generation settings and by its tokenizer."""
    configured = model.generation_config.eos_token_id
    stops = set(configured if isinstance(configured, list) else [configured])
    return {token for token in stops | {tokenizer.eos_token_id} if token is not None}
