"""Answers files of prompts with a base model and its adapters, in batches, greedily.

    python generate.py REQUEST.json

What is guaranteed:
- An output is what the model would say to that row alone: the shared beginning of the prompts is computed once and
  rows are padded, but positions and attention are those of the single row (up to ties within rounding).
- A predictions file appears whole, in the order of the rows; a job whose file has exactly these ids is skipped.
- `latencyMs` is the time of one request alone, with the shared beginning of the prompt cached, as a server with prompt
  caching would answer it. It is measured after a warm-up on up to `latencyRows` rows of each job, spread over the
  file, the jobs taking turns row by row; it is null on all other rows and where a job says `"latency": false`, for
  the time of a batch says nothing about one request. Adapters are merged into a copy of the weights, as one would
  serve them; where memory does not allow the copies, they are applied beside the base model, which is slower.
- `outputTokens` counts what was generated, the end of turn included; `inputTokens` the whole prompt.
- Events and `exit.json` are as for train.py.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import _chat
import _model
import _process
import _request
import _rows
from _events import EventLog
from _failures import KnownFailure
from _machine import memory_bytes
from _state import write_text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("request", help="the request, a JSON file")
    return _process.run(parser.parse_args().request, _request.parse_generate, generate)


def generate(request: SimpleNamespace, events: EventLog, stop: _process.Stop) -> dict:
    """Writes the predictions of every job that has none yet."""
    pending = []
    for job in request.jobs:
        job.data = _rows.read_rows(job.rows, "user")
        if _is_complete(job):
            events.write("progress", name=job.name, done=len(job.data), total=len(job.data))
            continue
        if job.adapter and not (Path(job.adapter) / "adapter_config.json").exists():
            raise KnownFailure(f"No adapter in {job.adapter}", f"Check the adapter of the job {job.name}.")
        pending.append(job)
    if pending:
        _answer(request, pending, events)
    return {"jobs": [job.name for job in pending]}


def _answer(request: SimpleNamespace, jobs: list[SimpleNamespace], events: EventLog) -> None:
    base = _model.resolve(request.baseLocation or request.baseModel, request.revision)
    _model.prepare_environment(base, request.threads)

    import torch

    if request.threads:
        torch.set_num_threads(request.threads)
    torch.manual_seed(request.seed)
    tokenizer = _model.load_tokenizer(base)
    model = _model.load_model(base, _model.device_name())

    from _generation import Generator

    models = _with_adapters(model, [job.adapter for job in jobs])
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None) or sys.maxsize
    for job in jobs:
        job.model, job.activate = models[job.adapter]
        job.prompts = _rows.render_prompts(tokenizer, job.data, context - job.maxNewTokens, job.rows)
        job.activate()
        job.generator = Generator(job.model, tokenizer, job.prompts, job.maxNewTokens)
    form = _chat.form_of(tokenizer)
    latencies = _latencies([job for job in jobs if job.latency], request.latencyRows)
    for job in jobs:
        job.activate()
        total = len(job.data)

        def progress(done: int, job: SimpleNamespace = job, total: int = total) -> None:
            events.write("progress", name=job.name, done=done, total=total)

        answers = job.generator.all(request.batchSize, progress)
        lines = []
        for index, (row, answer) in enumerate(zip(job.data, answers, strict=True)):
            latency = latencies.get((job.name, index))
            prediction = {
                "id": row["id"],
                "output": _said(tokenizer, answer.ids, form if row.get("tools") else None),
                "latencyMs": None if latency is None else round(latency, 2),
                "inputTokens": len(job.prompts[index]),
                "outputTokens": answer.generated,
                "finish": answer.finish,
            }
            lines.append(json.dumps(prediction, ensure_ascii=False) + "\n")
        write_text(job.predictions, "".join(lines))
        job.generator = None


def _said(tokenizer, ids: list[int], form: _chat.CallForm | None) -> str:
    """The text of an answer; of one that calls tools the turn as JSON."""
    turn = _chat.turn_of(tokenizer.decode(ids, skip_special_tokens=False), form) if form else None
    return turn or tokenizer.decode(ids, skip_special_tokens=True).strip()


def _latencies(jobs: list[SimpleNamespace], count: int) -> dict[tuple[str, int], float]:
    """Milliseconds by job and row; the jobs take turns, so that a busy moment of the machine hits all of them."""
    found: dict[tuple[str, int], float] = {}
    if not count:
        return found
    for job in jobs:
        job.activate()
        for _ in range(2):
            job.generator.milliseconds(0)
    for turn in range(count):
        for job in jobs:
            if turn < min(count, len(job.data)):
                index = turn * len(job.data) // min(count, len(job.data))
                job.activate()
                found[job.name, index] = job.generator.milliseconds(index)
    return found


def _with_adapters(model, adapters: list[str | None]) -> dict:
    """For each adapter, and None, the model to ask and what makes it answer with that adapter."""
    import peft

    names = sorted({adapter for adapter in adapters if adapter})
    if _copies_fit(model, len(names)):
        merged = {}
        for name in names:
            copied = peft.PeftModel.from_pretrained(copy.deepcopy(model), name, autocast_adapter_dtype=False)
            merged[name] = (copied.merge_and_unload().eval(), lambda: None)
        return {None: (model, lambda: None), **merged}
    wrapped = peft.PeftModel.from_pretrained(model, names[0], adapter_name="0")
    for index, name in enumerate(names[1:], 1):
        wrapped.load_adapter(name, adapter_name=str(index))
    wrapped.eval()

    def use(index: int | None):
        def activate() -> None:
            if index is None:
                wrapped.base_model.disable_adapter_layers()
            else:
                wrapped.base_model.enable_adapter_layers()
                wrapped.set_adapter(str(index))

        return activate

    plain = wrapped.get_base_model()
    return {None: (plain, use(None)), **{name: (plain, use(index)) for index, name in enumerate(names)}}


def _copies_fit(model, copies: int) -> bool:
    """Whether so many more copies of the weights take at most half of the memory that is free."""
    import torch

    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    if model.device.type == "cuda":
        free = torch.cuda.mem_get_info()[0]
    else:
        try:
            lines = Path("/proc/meminfo").read_text().splitlines()
            free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
        except (OSError, StopIteration):
            free = memory_bytes() // 2
    return copies * size <= free // 2


def _is_complete(job: SimpleNamespace) -> bool:
    """Whether the predictions file has exactly the ids of the rows, in order."""
    try:
        lines = Path(job.predictions).read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["id"] for line in lines] == [row["id"] for row in job.data]
    except (OSError, ValueError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    sys.exit(main())
