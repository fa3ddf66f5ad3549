"""Messages as a model's own chat template renders them, the same on any day, with nothing lost on the way.

Templates differ in what they take: some refuse a system message or drop it without a word, most drop tools, some write
the date of today. What a template cannot say is found out once, by asking it. So is how it writes calls of tools, which
are read back from what a model wrote: `<tool_call>{"name": …, "arguments": …}</tool_call>`, `[TOOL_CALLS][{…}]`, bare
JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

# A date that a template writes is always this one: rows that are trained on today and asked tomorrow render alike.
RENDER_DATE = datetime(2026, 1, 1)

_WORD = "qzv"


class Dropped(ValueError):
    """The template leaves out something that the messages say."""


class Chat:
    """Renders messages to token ids with the template of a tokenizer.

    Where the template takes no system message, its text comes before that of the first message of the user. Tools are
    handed to the template; a template that does not show them, or a part of the messages, raises Dropped.
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self._takes_system = _shows_system(tokenizer)

    def tokens(self, row: dict, messages: list[dict], generation: bool) -> list[int]:
        plain = [_plain(message) for message in messages]
        if not self._takes_system:
            plain = _folded(plain)
        tools = row.get("tools") or None
        text = render(self._tokenizer, plain, tools, generation)
        _require_all(text, plain, tools)
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]


def _stop_the_clock() -> None:
    """Templates ask for the time by `strftime_now`, which reads the clock of this module and takes no other."""
    from transformers.utils import chat_template_utils

    chat_template_utils.datetime = SimpleNamespace(now=lambda: RENDER_DATE)


def render(tokenizer, messages: list[dict], tools: list[dict] | None, generation: bool) -> str:
    """The text that the template makes of messages, at the date that is every date."""
    _stop_the_clock()
    return tokenizer.apply_chat_template(
        messages,
        tools=tools,
        tokenize=False,
        add_generation_prompt=generation,
        date_string=RENDER_DATE.strftime("%d %b %Y"),
    )


def _shows_system(tokenizer) -> bool:
    user = {"role": "user", "content": "x"}
    try:
        return _WORD in render(tokenizer, [{"role": "system", "content": _WORD}, user], None, generation=False)
    except Exception:
        # Templates raise by jinja2's own error, or whatever else they come to. A template that does not even render
        # the user's message says so at the first row.
        return False


def _folded(messages: list[dict]) -> list[dict]:
    if not messages or messages[0]["role"] != "system":
        return messages
    system, *rest = messages
    first = next((index for index, message in enumerate(rest) if message["role"] == "user"), None)
    if first is None:
        return [{**system, "role": "user"}, *rest]
    joined = {**rest[first], "content": f"{system['content']}\n\n{rest[first]['content']}"}
    return [*rest[:first], joined, *rest[first + 1 :]]


def _plain(message: dict) -> dict:
    """What templates know of a message."""
    known = {key: message[key] for key in ("tool_calls", "tool_call_id", "name") if message.get(key)}
    if message.get("content") is None and "tool_calls" not in known:
        raise ValueError(f"a message of the {message['role']} has no text")
    return {"role": message["role"], "content": message.get("content") or "", **known}


def _require_all(text: str, messages: list[dict], tools: list[dict] | None) -> None:
    last = len(messages) - 1
    for index, message in enumerate(messages):
        # Of earlier answers a template may leave out what the model thought.
        is_kept = message["role"] != "assistant" or index == last
        if is_kept and not _shows(text, message["content"].strip()):
            raise Dropped(f"the chat template leaves out the text of message {index + 1}, of the {message['role']}")
        for call in message.get("tool_calls", []):
            if call["function"]["name"] not in text:
                raise Dropped(f"the chat template leaves out the call of {call['function']['name']}")
    for tool in tools or []:
        if tool["function"]["name"] not in text:
            raise Dropped(f"the chat template leaves out the tool {tool['function']['name']}")


def _shows(text: str, content: str) -> bool:
    """Templates write results of tools as they are, or as JSON."""
    return content in text or json.dumps(content, ensure_ascii=False)[1:-1] in text


# How a template writes a call is found out by rendering one with these.
_NAME, _KEY, _VALUE = "qzvname", "qzvkey", "qzvvalue"


@dataclass(frozen=True)
class CallForm:
    """What stands before the JSON of a call, and its keys."""

    before: str
    name: str
    arguments: str


def form_of(tokenizer) -> CallForm | None:
    """How the template writes a call; None where it writes none, or no JSON."""
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
