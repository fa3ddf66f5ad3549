"""Counts the tokens of training rows as train.py renders them, without a network.

    python count_tokens.py BASE_MODEL [REVISION] < rows.jsonl

Writes one JSON object to stdout: `{"counts": {id: tokens}, "failed": {id: why}}`, or `{"error": {"message", "hint"}}`
and exit code 1. A count is that of the whole row, question and answer: what `maxLength` is compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

import _model
import _rows
from _failures import explain


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="the base model, as in a job")
    parser.add_argument("revision", nargs="?", help="its revision on the hub")
    arguments = parser.parse_args()
    # Nothing may be fetched: a hub model counts only where it is in the cache already.
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    # What libraries print must not get between the lines of the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    try:
        base = _model.resolve(arguments.base, arguments.revision)
        _model.prepare_environment(base, None)
        result = _rows.count(_model.load_tokenizer(base), (json.loads(line) for line in sys.stdin))
    except Exception as error:
        message, hint = explain(error)
        result = {"error": {"message": message, "hint": hint}}
    answer.write(f"{json.dumps(result)}\n")
    return 1 if "error" in result else 0


if __name__ == "__main__":
    sys.exit(main())
