"""Chat templates that differ in what they take."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest
from conftest import message_rows

import _chat
import _model
import _rows
from _failures import KnownFailure

PLAIN = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
ANSWER = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
DROPS_SYSTEM = PLAIN.replace("messages %}", "messages if m.role != 'system' %}")
DATED = "{% set day = strftime_now('%d %b %Y') %}Today is {{ day }}.\n"
WITH_TOOLS = (
    "{% if tools %}{% for t in tools %}{{ t | tojson }}\n{% endfor %}{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<call>{{ c.function | tojson }}</call>{% endfor %}<|im_end|>\n{% endfor %}"
)

TOOL = {"type": "function", "function": {"name": "find_order", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": {"order": "A1"}}}
CALLING = {
    "id": "calling",
    "tools": [TOOL],
    "messages": [
        {"role": "user", "content": "where is my parcel"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"state": "sent"}'},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
    ],
}


@pytest.fixture
def speaking(tiny):
    """The tokenizer of the tiny model with another chat template."""
    tokenizer = _model.load_tokenizer(_model.resolve(tiny, None))

    def make(template: str):
        other = copy.deepcopy(tokenizer)
        other.chat_template = template + ANSWER
        return other

    return make


def text_of(tokenizer, row: dict) -> str:
    return tokenizer.decode(_rows.render_for_training(tokenizer, [row], 1000, "rows")[0]["input_ids"])


@pytest.mark.parametrize("template", [NO_SYSTEM + PLAIN, DROPS_SYSTEM], ids=["refuses", "drops"])
def test_without_a_system_role_its_text_comes_before_the_question(speaking, template):
    (row,) = message_rows(1, answered=True)
    text = text_of(speaking(template), row)
    system, user, _ = (message["content"] for message in row["messages"])
    assert f"<|im_start|>user\n{system}\n\n{user}<|im_end|>" in text
    assert "<|im_start|>system" not in text


def test_the_date_of_today_is_not_in_what_is_trained_on(speaking):
    (row,) = message_rows(1, answered=True)
    text = text_of(speaking(DATED + PLAIN), row)
    assert text.startswith("Today is 01 Jan 2026.")
    assert date.today() != _chat.RENDER_DATE.date()


def test_tools_calls_and_their_results_are_trained_on(speaking, tmp_path):
    tokenizer = speaking(WITH_TOOLS)
    text = text_of(tokenizer, CALLING)
    for part in ("find_order", '{"state": "sent"}', '"order": "A1"'):
        assert part in text
    (rendered,) = _rows.render_for_training(tokenizer, [CALLING], 1000, "rows")
    learnt = [label for label in rendered["labels"] if label != -100]
    assert tokenizer.decode(learnt).startswith("<call>")
    asked = {**CALLING, "messages": CALLING["messages"][:3]}
    assert tokenizer.decode(_rows.render_prompts(tokenizer, [asked], 1000, "rows")[0]).endswith("assistant\n")


def test_what_a_template_leaves_out_stops_the_run_with_the_rows(speaking):
    with pytest.raises(KnownFailure) as caught:
        _rows.render_for_training(speaking(PLAIN), [*message_rows(2, answered=True), CALLING], 1000, "rows")
    assert "calling: does not render: the chat template leaves out" in caught.value.message
    assert "1 of 3 rows" in caught.value.message
    assert "chat template" in caught.value.hint and "maxLength" not in caught.value.hint
    with pytest.raises(KnownFailure) as caught:
        _rows.render_for_training(speaking(PLAIN), message_rows(2, answered=True), 3, "rows")
    assert "maxLength" in caught.value.hint and "template" not in caught.value.hint


def test_rows_of_calls_are_read_and_malformed_ones_are_named(tmp_path):
    from conftest import write_rows

    good = write_rows(tmp_path / "good.jsonl", [CALLING])
    assert _rows.read_rows(good, "assistant") == [CALLING]
    broken = {**CALLING, "id": "broken", "tools": [{"name": "find_order"}]}
    nameless = {
        **CALLING,
        "id": "nameless",
        "messages": [CALLING["messages"][0], {"role": "assistant", "tool_calls": [{}]}],
    }
    bad = write_rows(tmp_path / "bad.jsonl", [broken, nameless])
    with pytest.raises(KnownFailure) as caught:
        _rows.read_rows(bad, "assistant")
    assert "broken: tools must be" in caught.value.message and "nameless: tool_calls must be" in caught.value.message


HERMES = WITH_TOOLS.replace("<call>", "<tool_call>\n").replace("</call>", "\n</tool_call>")
LLAMA = (
    WITH_TOOLS.replace("<call>", "")
    .replace("</call>", "")
    .replace("c.function | tojson", "{'name': c.function.name, 'parameters': c.function.arguments} | tojson")
)
MISTRAL = WITH_TOOLS.replace("<call>", "[TOOL_CALLS][").replace("</call>", "]")


@pytest.mark.parametrize("template", [HERMES, LLAMA, MISTRAL], ids=["hermes", "llama", "mistral"])
def test_a_call_is_read_back_as_the_template_writes_it(speaking, template):
    tokenizer = speaking(template)
    form = _chat.form_of(tokenizer)
    (rendered,) = _rows.render_for_training(tokenizer, [CALLING], 1000, "rows")
    learnt = tokenizer.decode([label for label in rendered["labels"] if label != -100], skip_special_tokens=True)
    turn = json.loads(_chat.turn_of(learnt, form))
    call = {"type": "function", "function": CALL["function"]}
    assert turn == {"tool_calls": [call]}
    two = _chat.turn_of(f"I look twice.\n{learnt}\n{learnt}", form)
    assert json.loads(two) == {"content": "I look twice.", "tool_calls": [call, call]}
    assert _chat.turn_of("There is no parcel.", form) is None
    assert _chat.turn_of('{"name": 1} {"broken": ' + "[" * 100_000, form) is None


def test_a_template_without_calls_has_no_form(speaking):
    assert _chat.form_of(speaking(PLAIN)) is None
