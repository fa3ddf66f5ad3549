"""Reads a request that creates a job, and prints it as Together's client sends it: without what it does not know."""

import json
import sys

from pydantic import BaseModel
from together.lib.types.fine_tuning import FinetuneRequest


def known(value):
    if not isinstance(value, BaseModel):
        return value
    return {name: known(getattr(value, name)) for name in value.model_fields_set if name in type(value).model_fields}


request = json.loads(sys.argv[1])
# The client always sends this one, which is the service's default.
read = known(FinetuneRequest.model_validate({"max_grad_norm": 1.0, **request}))
print(json.dumps({name: value for name, value in read.items() if name in request}))
