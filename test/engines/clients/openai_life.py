"""OpenAI's Python client from a file to a tuned model; prints what it saw as JSON. Answers must fit its types."""

import json
import os
import sys
import time
from pathlib import Path

from openai import AuthenticationError, BadRequestError, NotFoundError, OpenAI

base_url, model, train = sys.argv[1:]
key = os.environ["SERVER_KEY"]
client = OpenAI(api_key=key, base_url=base_url, max_retries=0, _strict_response_validation=True)
jobs = client.fine_tuning.jobs


def refused(error: type[Exception], call) -> bool:
    try:
        call()
    except error:
        return True
    return False


uploaded = client.files.create(file=Path(train), purpose="fine-tune")
ready = client.files.wait_for_processing(uploaded.id, poll_interval=0.01)
parts = client.uploads.upload_file_chunked(
    file=Path(train), mime_type="application/jsonl", purpose="fine-tune", part_size=10
)
method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
job = jobs.create(
    model=model, training_file=uploaded.id, validation_file=parts.file.id, method=method, seed=7, metadata={"key": "a"}
)
created = job.status
deadline = time.monotonic() + 60
while job.status != "succeeded" and time.monotonic() < deadline:
    time.sleep(0.05)
    job = jobs.retrieve(job.id)
events = list(jobs.list_events(job.id, limit=2))
answer = client.chat.completions.create(model=job.fine_tuned_model, messages=[{"role": "user", "content": "Well?"}])
other = jobs.create(model=model, training_file=uploaded.id)
cancelled = jobs.cancel(other.id)
stranger = OpenAI(api_key="sk-wrong", base_url=base_url, max_retries=0)
seen = {
    "file": [uploaded.status, ready.status, client.files.content(uploaded.id).text == Path(train).read_text()],
    "parts": [parts.status, client.files.content(parts.file.id).text == Path(train).read_text()],
    "job": [created, job.status, job.method.supervised.hyperparameters.n_epochs, job.seed, job.trained_tokens],
    "steps": [event.data["step"] for event in events if event.type == "metrics"],
    "checkpoints": [checkpoint.step_number for checkpoint in jobs.checkpoints.list(job.id)],
    "result": [client.files.content(result).text for result in job.result_files],
    "answer": answer.choices[0].message.content,
    "found": [found.id == job.id for found in jobs.list(extra_query={"metadata[key]": "a"})],
    "listed": len(list(jobs.list(limit=1))),
    "cancelled": [cancelled.status, refused(BadRequestError, lambda: jobs.cancel(other.id))],
    "refused": [
        refused(AuthenticationError, lambda: stranger.files.list()),
        refused(NotFoundError, lambda: jobs.retrieve("ftjob-none")),
    ],
    "deleted": client.files.delete(uploaded.id).deleted,
}
print(json.dumps(seen))
