"""Calls of tools read back from what a model wrote, as its own chat template writes them.

Templates differ: `<tool_call>{"name": …, "arguments": …}</tool_call>`, `[TOOL_CALLS][{…}]`, bare JSON with
`parameters`. How one writes a call is found out by rendering one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

_NAME, _KEY, _VALUE = "qzvname", "qzvkey", "qzvvalue"


@dataclass(frozen=True)
class CallForm:
    """What stands before the JSON of a call, and its keys."""

    before: str
    name: str
    arguments: str


def form_of(tokenizer, render) -> CallForm | None:
    """How the template writes a call; None where it writes none, or no JSON. `render` is a template's text."""
    call = {"id": "qzv000000", "type": "function", "function": {"name": _NAME, "arguments": {_KEY: _VALUE}}}
    question = {"role": "user", "content": "x"}
    try:
        prompt = render(tokenizer, [question], None, True)
        whole = render(tokenizer, [question, {"role": "assistant", "content": "", "tool_calls": [call]}], None, False)
    except Exception:
        return None
    text = whole.removeprefix(prompt)
    for start, value in _objects(text):
        name = next((key for key, item in value.items() if item == _NAME), None)
        arguments = next((key for key, item in value.items() if _are_arguments(item)), None)
        if name and arguments:
            return CallForm(text[:start].strip().removesuffix("[").strip(), name, arguments)
    return None


def turn_of(text: str, form: CallForm) -> str | None:
    """The turn that calls tools, as JSON, where the text has a call in that form; None where it has none."""
    said, calls = "", []
    for start, value in _objects(text):
        before = text[:start].strip().removesuffix("[").strip()
        if not isinstance(value.get(form.name), str) or not isinstance(value.get(form.arguments), dict | str):
            continue
        if not calls and not before.endswith(form.before):
            continue
        said = said if calls else before.removesuffix(form.before).strip()
        function = {"name": value[form.name], "arguments": value[form.arguments]}
        calls.append({"type": "function", "function": function})
    if not calls:
        return None
    return json.dumps({**({"content": said} if said else {}), "tool_calls": calls}, ensure_ascii=False)


def _objects(text: str):
    """Where each outermost JSON object of a text begins, and the object."""
    decoder, position = json.JSONDecoder(), text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield position, value
        position = text.find("{", end)


def _are_arguments(value: object) -> bool:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return value == {_KEY: _VALUE}
