"""Together's Python client from a file to an adapter; prints what it saw as JSON. Answers must fit its types."""

import json
import os
import sys
import time
from pathlib import Path

from together import AuthenticationError, BadRequestError, NotFoundError, Together
from together.lib.utils.tools import finetune_price_to_dollars

base_url, model, train = sys.argv[1:]
key = os.environ["SERVER_KEY"]
# It adds /v1 itself.
address = base_url.removesuffix("/v1")
client = Together(api_key=key, base_url=address, max_retries=0, _strict_response_validation=True)
jobs = client.fine_tuning


def refused(error: type[Exception], call) -> bool:
    try:
        call()
    except error:
        return True
    return False


def until(look, is_there, seconds: float = 60):
    deadline = time.monotonic() + seconds
    found = look()
    while not is_there(found) and time.monotonic() < deadline:
        time.sleep(0.05)
        found = look()
    return found


uploaded = client.files.upload(file=train, purpose="fine-tune", check=True)
early = refused(BadRequestError, lambda: jobs.create(model=model, training_file=uploaded.id, lora=True))
ready = until(lambda: client.files.retrieve(uploaded.id), lambda file: file.processing_status == "COMPLETED")
limits = jobs.model_limits(model_name=model)
estimate = jobs.estimate_price(training_file=uploaded.id, model=model, n_epochs=2)
job = jobs.create(
    model=model, training_file=uploaded.id, n_epochs=2, lora=True, lora_r=16, batch_size=8, suffix="mood", random_seed=7
)
created = job.status
job = until(lambda: jobs.retrieve(job.id), lambda found: found.status == "completed")
other = jobs.create(model=model, training_file=uploaded.id, lora=True)
cancelled = jobs.cancel(other.id)
stranger = Together(api_key="wrong", base_url=address, max_retries=0)
seen = {
    "file": [uploaded.processing_status, ready.processing_status, early],
    "content": client.files.content(uploaded.id).read() == Path(train).read_bytes(),
    "limits": [limits.max_num_epochs, limits.lora_training.max_rank],
    "estimate": [estimate.estimation_available, estimate.allowed_to_proceed],
    "job": [created, job.status, job.n_epochs, job.training_type.lora_r, job.x_model_output_name],
    "dollars": finetune_price_to_dollars(job.total_price),
    "events": [event.type for event in jobs.list_events(job.id).data],
    "metrics": [point["global_step"] for point in jobs.list_metrics(job.id, global_step_from=2).metrics],
    "adapter": jobs.content(ft_id=job.id, checkpoint="adapter").read().decode(),
    "listed": [found.id for found in jobs.list().data],
    "cancelled": [cancelled.status, refused(BadRequestError, lambda: jobs.cancel(other.id))],
    "refused": [
        refused(AuthenticationError, lambda: stranger.files.list()),
        refused(NotFoundError, lambda: jobs.retrieve("ft-none")),
    ],
    "files": [file.id for file in client.files.list().data],
    "deleted": client.files.delete(uploaded.id).deleted,
}
print(json.dumps(seen))
