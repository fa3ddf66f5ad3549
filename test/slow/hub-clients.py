"""Drives a hub at an address with Python's own client, and prints what it saw: `python hub-clients.py URL TOKEN`."""

import json
import sys
import tempfile
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, JobInfo

url, token = sys.argv[1:]
api = HfApi(endpoint=url, token=token)
name = api.whoami()["name"]
repo = f"{name}/python"
api.create_repo(repo, repo_type="dataset", private=True)
api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
large = b"x" * 100_000
api.create_commit(
    repo,
    [CommitOperationAdd("small.txt", b"a few words\n"), CommitOperationAdd("in/large.bin", large)],
    commit_message="Both kinds of files",
    repo_type="dataset",
)
api.create_commit(repo, [CommitOperationDelete("small.txt")], commit_message="Less", repo_type="dataset")
files = api.list_repo_files(repo, repo_type="dataset")
with tempfile.TemporaryDirectory() as folder:
    path = api.hf_hub_download(repo, "in/large.bin", repo_type="dataset", local_dir=folder)
    is_same = Path(path).read_bytes() == large


def run(key: str) -> JobInfo:
    return api.run_job(
        image="python:3.12",
        command=["python", "-c", "print(1)"],
        flavor="cpu-basic",
        timeout="2h",
        secrets={"HF_TOKEN": token},
        labels={"tuneloop-submission": key},
    )


jobs = [run(key) for key in ("a", "b", "c", "a")]
listed = list(api.list_jobs(namespace=name))
marked = list(api.list_jobs(labels={"tuneloop-submission": "a"}, namespace=name))
seen = api.inspect_job(job_id=jobs[0].id)
api.cancel_job(job_id=jobs[0].id)
logs = list(api.fetch_job_logs(job_id=jobs[0].id))
api.delete_repo(repo, repo_type="dataset")
print(
    json.dumps(
        {
            "files": files,
            "isSame": is_same,
            "isThere": api.repo_exists(repo, repo_type="dataset"),
            "listed": len(listed),
            "marked": [job.id for job in marked] == [jobs[3].id, jobs[0].id],
            "stages": [seen.status.stage, api.inspect_job(job_id=jobs[0].id).status.stage],
            "logs": logs,
            "prices": {one.name: one.unit_cost_usd for one in api.list_jobs_hardware()},
        }
    )
)
