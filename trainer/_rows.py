"""Rows of messages, rendered by the model's own chat template and checked before they are used.

Trainers cut and drop rows silently; here a row that cannot be used whole stops the run, by its id.
"""

from __future__ import annotations

import json
from pathlib import Path

from _chat import Chat
from _failures import KnownFailure

ROLES = ("system", "user", "assistant", "tool")
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
    rendered, issues, long = [], [], []
    chat = Chat(tokenizer)
    weighted = any("weight" in row for row in rows)
    for row in rows:
        try:
            prompt = chat.tokens(row, row["messages"][:-1], generation=True)
            whole = chat.tokens(row, row["messages"], generation=False)
        except Exception as error:
            issues.append(f"{row['id']}: does not render: {error}")
            continue
        if _is_empty(row["messages"][-1]) or len(whole) <= len(prompt):
            issues.append(f"{row['id']}: the answer renders to nothing")
        elif whole[: len(prompt)] != prompt:
            issues.append(f"{row['id']}: the rendered prompt is not the beginning of the rendered example")
        elif len(whole) > max_length:
            long.append(f"{row['id']}: {len(whole)} tokens, limit {max_length}")
        else:
            labels = _labels(tokenizer, prompt, whole)
            rendered.append({"id": row["id"], "input_ids": whole, "labels": labels, **_weight(row, weighted)})
    if issues or long:
        raise _listed(
            f"{source}: {len(issues) + len(long)} of {len(rows)} rows cannot be trained on whole",
            [*issues, *long],
            " ".join([*([_TEMPLATE_HINT] if issues else []), *([_LENGTH_HINT] if long else [])]),
        )
    return rendered


_TEMPLATE_HINT = (
    "Correct the rows that do not render, or take a base model whose chat template shows what they hold (its "
    "tokenizer_config.json or chat_template.jinja)."
)
_LENGTH_HINT = (
    "Raise hyperparameters.maxLength, or shorten or remove the rows that are too long. Nothing is cut silently."
)


def render_prompts(tokenizer, rows: list[dict], limit: int, source: str) -> list[list[int]]:
    """Token ids of each prompt, ready for the answer; rows that do not render or exceed the limit stop the run."""
    rendered, issues = [], []
    chat = Chat(tokenizer)
    for row in rows:
        try:
            ids = chat.tokens(row, row["messages"], generation=True)
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
    chat = Chat(tokenizer)
    for row in rows:
        try:
            counts[row["id"]] = len(chat.tokens(row, row["messages"], generation=False))
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
        calls = message.get("tool_calls")
        if calls is not None and not _are_calls(calls):
            return f"{row['id']}: tool_calls must be a list of {{function: {{name, arguments}}}}"
        if not isinstance(message.get("content"), str) and not (calls and message.get("content") is None):
            return f"{row['id']}: a message's content must be text"
    tools = row.get("tools", [])
    if not isinstance(tools, list) or not all(_is_named(tool) for tool in tools):
        return f"{row['id']}: tools must be a list of {{type: function, function: {{name, …}}}}"
    weight = row.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
        return f"{row['id']}: the weight must be a number above 0, got {weight!r}"
    role = messages[-1]["role"]
    # What is asked may be what a tool answered.
    if role != last and not (last == "user" and role == "tool"):
        return f"{row['id']}: the last message must be of the {last}, got {role}"
    if last == "assistant" and len(messages) < 2:
        return f"{row['id']}: there is nothing before the answer"
    return None


def _are_calls(calls: object) -> bool:
    return isinstance(calls, list) and all(_is_named(call) for call in calls)


def _is_named(part: object) -> bool:
    function = part.get("function") if isinstance(part, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str) and bool(function["name"])


def _is_empty(message: dict) -> bool:
    return not (message.get("content") or "").strip() and not message.get("tool_calls")


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
