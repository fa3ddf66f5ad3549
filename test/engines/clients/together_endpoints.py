"""Together's Python client deploys a model, takes it down; prints as JSON what it saw. Answers must fit its types."""

import json
import os
import sys

from together import BadRequestError, ConflictError, NotFoundError, Together

base_url, base_model, model_id = sys.argv[1:]
key = os.environ["SERVER_KEY"]
# It adds the version itself.
address = base_url.removesuffix("/v1")
project = Together(api_key=key, base_url=address, max_retries=0, _strict_response_validation=True).whoami().project.id
client = Together(
    api_key=key, base_url=address, project_id=project, max_retries=0, _strict_response_validation=True
)
endpoints, deployments = client.endpoints, client.endpoints.deployments


def refused(error: type[Exception], call) -> bool:
    try:
        call()
    except error:
        return True
    return False


def until(state: str) -> str:
    found = look()
    for _ in range(10):
        if found == state:
            break
        found = look()
    return found


def look() -> str:
    return deployments.retrieve(deployment.id, endpoint_id=endpoint.id).status.state


def asked() -> str:
    messages = [{"role": "user", "content": "How are you?"}]
    return client.chat.completions.create(model=endpoint.name, messages=messages).choices[0].message.content


machines = {machine.name: machine.price_cents_per_hour for machine in endpoints.hardware.list().data}
model = client.models.retrieve(model_id)
supported = [found.name for found in client.models.list_supported(search=base_model) if found.base_model]
configs = list(client.models.configs.list(reference_model=model.base_model))
config = next(
    f"projects/{found.project_id}/configs/{found.id}"
    for found in configs
    if {"accelerator_type": "nvidia-h100-80gb", "adapter_mode": "disabled"}.items()
    <= {selector.key: selector.value for selector in found.selectors}.items()
)
endpoint = endpoints.create(name="by-hand")
taken = refused(ConflictError, lambda: endpoints.create(name="by-hand"))
deployment = deployments.create(
    endpoint.id,
    name="tuned",
    model=f"projects/{project}/models/{model.id}",
    config=config,
    autoscaling={"min_replicas": 1, "max_replicas": 1},
    inactive_timeout=60,
)
ready = until("DEPLOYMENT_STATE_READY")
unrouted = refused(BadRequestError, asked)
endpoints.update(
    endpoint.id, traffic_split=[{"deployment_id": deployment.id, "weight": 1}], update_mask="trafficSplit"
)
answer = asked()
listed = [[found.name, [each.state for each in found.deployments]] for found in endpoints.list(limit=1)]
running = refused(BadRequestError, lambda: deployments.delete(deployment.id, endpoint_id=endpoint.id))
deployments.update(
    deployment.id,
    endpoint_id=endpoint.id,
    autoscaling={"min_replicas": 0, "max_replicas": 0},
    update_mask="autoscaling",
)
draining, stopped = look(), until("DEPLOYMENT_STATE_STOPPED")
routed = refused(BadRequestError, lambda: deployments.delete(deployment.id, endpoint_id=endpoint.id))
occupied = refused(BadRequestError, lambda: endpoints.delete(endpoint.id))
endpoints.update(endpoint.id, traffic_split=[], update_mask="trafficSplit")
under = [found.id for found in deployments.list(endpoint.id)]
deployments.delete(deployment.id, endpoint_id=endpoint.id)
endpoints.delete(endpoint.id)
seen = {
    "project": project,
    "cents": machines["1xnvidia-h100-80gb"],
    "supported": supported == [base_model],
    "deployment": [endpoint.name, deployment.name, deployment.hardware, deployment.status.state, ready],
    "answers": [unrouted, answer],
    "listed": listed,
    "stopping": [draining, stopped, under],
    "refused": [taken, running, routed, occupied],
    "gone": [refused(NotFoundError, lambda: endpoints.retrieve(endpoint.id)), [each.id for each in endpoints.list()]],
}
print(json.dumps(seen))
