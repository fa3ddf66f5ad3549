"""Rows of messages, rendered by the model's own chat template and checked before they are used.

Trainers cut and drop rows silently; here a row that cannot be used whole stops the run, by its id.
"""

from __future__ import annotations

import json
from pathlib import Path

from _failures import KnownFailure

ROLES = ("system", "user", "assistant")
SHOWN = 20


def read_rows(path: str, last: str) -> list[dict]:
    """The rows of a JSONL file, each with a unique id and messages whose last one has the given role."""
    rows, issues, seen = [], [], set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            issues.append(f"line {number}: is not JSON")
            continue
        problem = _shape_problem(row, last)
        if problem is None and row["id"] in seen:
            problem = f"{row['id']}: the id occurs twice"
        if problem:
            issues.append(f"line {number}: {problem}")
            continue
        seen.add(row["id"])
        rows.append(row)
    if issues:
        raise _listed(f"{path}: {len(issues)} rows cannot be used", issues, "Correct these rows.")
    if not rows:
        raise KnownFailure(f"{path}: there are no rows.", "Give at least one row.")
    return rows


def render_for_training(tokenizer, rows: list[dict], max_length: int, source: str) -> list[dict]:
    """Id, token ids and labels of each row; the loss is on the last assistant message, up to its end of turn.

    Where any row has a `weight`, each has: what its loss counts for, 1 for those that do not say.

    A row that does not render, renders to nothing, whose prompt is not a prefix of the whole, or that is longer than
    `max_length` tokens stops the run; all of them are listed with id, length and limit.
    """
    rendered, issues = [], []
    weighted = any("weight" in row for row in rows)
    for row in rows:
        try:
            prompt = _tokens(tokenizer, row["messages"][:-1], generation=True)
            whole = _tokens(tokenizer, row["messages"], generation=False)
        except Exception as error:
            issues.append(f"{row['id']}: does not render: {error}")
            continue
        if not row["messages"][-1]["content"].strip() or len(whole) <= len(prompt):
            issues.append(f"{row['id']}: the answer renders to nothing")
        elif whole[: len(prompt)] != prompt:
            issues.append(f"{row['id']}: the rendered prompt is not the beginning of the rendered example")
        elif len(whole) > max_length:
            issues.append(f"{row['id']}: {len(whole)} tokens, limit {max_length}")
        else:
            labels = _labels(tokenizer, prompt, whole)
            rendered.append({"id": row["id"], "input_ids": whole, "labels": labels, **_weight(row, weighted)})
    if issues:
        hint = "Raise hyperparameters.maxLength, or shorten or remove these rows. Nothing is cut silently."
        raise _listed(f"{source}: {len(issues)} of {len(rows)} rows cannot be trained on whole", issues, hint)
    return rendered


def render_prompts(tokenizer, rows: list[dict], limit: int, source: str) -> list[list[int]]:
    """Token ids of each prompt, ready for the answer; rows that do not render or exceed the limit stop the run."""
    rendered, issues = [], []
    for row in rows:
        try:
            ids = _tokens(tokenizer, row["messages"], generation=True)
        except Exception as error:
            issues.append(f"{row['id']}: does not render: {error}")
            continue
        if not ids:
            issues.append(f"{row['id']}: renders to nothing")
        elif len(ids) > limit:
            issues.append(f"{row['id']}: {len(ids)} tokens, limit {limit}")
        rendered.append(ids)
    if issues:
        raise _listed(f"{source}: {len(issues)} of {len(rows)} rows cannot be asked", issues, "Shorten these rows.")
    return rendered


def count(tokenizer, rows) -> dict:
    """How many tokens each row has as it is trained on, and why a row does not render."""
    counts, failed = {}, {}
    for row in rows:
        try:
            counts[row["id"]] = len(_tokens(tokenizer, row["messages"], generation=False))
        except Exception as error:
            failed[row["id"]] = str(error)
    return {"counts": counts, "failed": failed}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise KnownFailure(f"No such file: {path}", "Check the path in the request.") from None
    except UnicodeDecodeError as error:
        raise KnownFailure(f"{path} is not UTF-8: {error}", "Save it as UTF-8.") from None


def _shape_problem(row: object, last: str) -> str | None:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
        return "has no id"
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return f"{row['id']}: has no messages"
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            return f"{row['id']}: a message's role must be one of {', '.join(ROLES)}"
        if not isinstance(message.get("content"), str):
            return f"{row['id']}: a message's content must be text"
    weight = row.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
        return f"{row['id']}: the weight must be a number above 0, got {weight!r}"
    if messages[-1]["role"] != last:
        return f"{row['id']}: the last message must be of the {last}, got {messages[-1]['role']}"
    if last == "assistant" and len(messages) < 2:
        return f"{row['id']}: there is nothing before the answer"
    return None


def _tokens(tokenizer, messages: list[dict], generation: bool) -> list[int]:
    plain = [{"role": message["role"], "content": message["content"]} for message in messages]
    return list(
        tokenizer.apply_chat_template(plain, tokenize=True, return_dict=False, add_generation_prompt=generation)
    )


def _labels(tokenizer, prompt: list[int], whole: list[int]) -> list[int]:
    """-100 on the prompt, and after the last end of turn: what a template adds there is never generated."""
    ends = [index for index in range(len(prompt), len(whole)) if whole[index] == tokenizer.eos_token_id]
    end = ends[-1] + 1 if ends else len(whole)
    return [-100] * len(prompt) + whole[len(prompt) : end] + [-100] * (len(whole) - end)


def _weight(row: dict, weighted: bool) -> dict:
    return {"weight": float(row.get("weight", 1))} if weighted else {}


def _listed(head: str, issues: list[str], hint: str) -> KnownFailure:
    shown = [f"- {issue}" for issue in issues[:SHOWN]]
    if len(issues) > SHOWN:
        shown.append(f"- and {len(issues) - SHOWN} more")
    return KnownFailure(head + ":\n" + "\n".join(shown), hint)
