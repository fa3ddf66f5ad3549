"""Batch generation: the same words as one at a time, whole files, and no work done twice."""

from __future__ import annotations

import pytest
from conftest import message_rows, read_lines, write_rows

import _request
import generate


@pytest.fixture(scope="module")
def answered(generation, trained, tmp_path_factory):
    """One generation of the base model and an adapter over the same rows."""
    folder = tmp_path_factory.mktemp("generated")
    rows = write_rows(folder / "rows.jsonl", message_rows(11, answered=False, offset=50))
    jobs = [
        {
            "name": name,
            "adapter": adapter,
            "rows": rows,
            "predictions": str(folder / f"{name}.jsonl"),
            "maxNewTokens": 6,
        }
        for name, adapter in (("zero-shot", None), ("tuned", trained.request["adapter"]))
    ]
    jobs[0]["latency"] = False
    run = generation(folder, jobs)
    run.code, run.output = run.finish()
    run.rows, run.folder = rows, folder
    return run


def test_outputs_are_those_of_plain_generation_one_by_one(answered, trained, tiny):
    import peft
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert answered.code == 0, answered.output
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    model = AutoModelForCausalLM.from_pretrained(tiny).eval()
    for name in ("zero-shot", "tuned"):
        if name == "tuned":
            model = peft.PeftModel.from_pretrained(model, trained.request["adapter"]).eval()
        found = read_lines(answered.folder / f"{name}.jsonl")
        rows = read_lines(answered.folder / "rows.jsonl")
        assert [line["id"] for line in found] == [row["id"] for row in rows]
        for line, row in zip(found, rows, strict=True):
            prompt = tokenizer.apply_chat_template(
                row["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            with torch.inference_mode():
                ids = model.generate(**prompt, max_new_tokens=6, do_sample=False)[0, prompt["input_ids"].shape[1] :]
            assert line["output"] == tokenizer.decode(ids, skip_special_tokens=True).strip()
            assert line["inputTokens"] == prompt["input_ids"].shape[1]
            assert line["outputTokens"] == len(ids)
            assert line["finish"] == ("stop" if ids[-1] == tokenizer.eos_token_id else "length")


def test_latency_is_measured_on_some_rows_of_the_jobs_that_want_it(answered):
    counts = {
        name: sum(line["latencyMs"] is not None for line in read_lines(answered.folder / f"{name}.jsonl"))
        for name in ("zero-shot", "tuned")
    }
    assert counts == {"zero-shot": 0, "tuned": 3}


def test_a_job_with_whole_predictions_is_skipped_and_a_partial_one_is_not(answered):
    whole, partial = answered.folder / "zero-shot.jsonl", answered.folder / "tuned.jsonl"
    before, expected = whole.stat().st_mtime_ns, [line["output"] for line in read_lines(partial)]
    partial.write_text("".join(partial.read_text().splitlines(keepends=True)[:5]))
    done = answered.here(generate.generate, _request.parse_generate)
    assert done == {"jobs": ["tuned"]}
    assert whole.stat().st_mtime_ns == before
    assert [line["output"] for line in read_lines(partial)] == expected
    assert answered.exit()["status"] == "succeeded"
    assert answered.events()[-1] | {"at": ""} == {
        "at": "",
        "type": "progress",
        "name": "tuned",
        "done": 11,
        "total": 11,
    }


def test_adapters_beside_the_base_answer_as_merged_ones(trained, tiny, monkeypatch):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    import _rows
    from _generation import Generator

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    prompts = _rows.render_prompts(tokenizer, message_rows(6, answered=False), 500, "x")
    adapter = trained.request["adapter"]
    outputs = []
    for fits in (True, False):
        monkeypatch.setattr(generate, "_copies_fit", lambda model, copies, fits=fits: fits)
        models = generate._with_adapters(AutoModelForCausalLM.from_pretrained(tiny).eval(), [None, adapter])
        for name in (None, adapter):
            model, activate = models[name]
            activate()
            answers = Generator(model, tokenizer, prompts, 6).all(3, lambda done: None)
            outputs.append([answer.ids for answer in answers])
    assert outputs[:2] == outputs[2:]
    assert outputs[0] != outputs[1]


def test_a_failure_is_told_without_a_traceback(generation, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl", message_rows(2, answered=False))
    job = {
        "name": "a",
        "adapter": str(tmp_path / "none"),
        "rows": rows,
        "predictions": str(tmp_path / "p"),
        "maxNewTokens": 2,
    }
    run = generation(tmp_path, [job])
    assert run.finish()[0] == 1
    assert run.exit()["status"] == "failed" and "No adapter in" in run.exit()["message"]
    assert "Traceback" not in run.exit()["message"]
