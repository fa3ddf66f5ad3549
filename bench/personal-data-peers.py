"""Prints, as JSON, what presidio-analyzer's recognizers find in the texts on stdin; pip install presidio-analyzer."""

import json
import sys

from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)

recognizers = [
    ("phone", "PHONE_NUMBER", PhoneRecognizer()),
    ("email", "EMAIL_ADDRESS", EmailRecognizer()),
    ("iban", "IBAN_CODE", IbanRecognizer()),
    ("card", "CREDIT_CARD", CreditCardRecognizer()),
    ("ssn", "US_SSN", UsSsnRecognizer()),
]
found = [
    [
        {"kind": kind, "start": each.start, "end": each.end}
        for kind, entity, recognizer in recognizers
        for each in recognizer.analyze(text, [entity], None)
    ]
    for text in json.load(sys.stdin)
]
# Offsets are in code points; all texts but a few are ASCII.
print(json.dumps(found))
