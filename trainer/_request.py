"""Requests parsed once at the border: every issue is listed, with its path, before anything heavy is imported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from _failures import KnownFailure

Check = Callable[[object], str | None]


def text(value: object) -> str | None:
    return None if isinstance(value, str) and value else "must be a text that is not empty"


def boolean(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def one_of(*allowed: object) -> Check:
    names = ", ".join(json.dumps(item) for item in allowed)
    return lambda value: None if value in allowed and not isinstance(value, bool) else f"must be one of {names}"


def number(low: float, high: float = float("inf"), above: bool = False) -> Check:
    def check(value: object) -> str | None:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if good and (value > low if above else value >= low) and value <= high:
            return None
        upper = f" and at most {high:g}" if high != float("inf") else ""
        return f"must be a number {'above' if above else 'at least'} {low:g}{upper}"

    return check


def integer(low: int) -> Check:
    def check(value: object) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and value >= low
        return None if good else f"must be a whole number of at least {low}"

    return check


def names_or(word: str) -> Check:
    def check(value: object) -> str | None:
        if value == word or (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
            return None
        return f'must be "{word}" or a list of names'

    return check


REQUIRED = object()


class Fields:
    """Reads an object field by field and collects what is wrong, unknown fields included."""

    def __init__(self, value: object, path: str, issues: list[str]):
        self.path, self.issues = path, issues
        self.value = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            issues.append(f"{path or 'the request'}: must be an object, got {json.dumps(value)[:80]}")
        self.seen: set[str] = set()

    def take(self, name: str, check: Check, default: object = REQUIRED):
        self.seen.add(name)
        place = f"{self.path}.{name}" if self.path else name
        if name not in self.value:
            if default is REQUIRED:
                self.issues.append(f"{place}: is missing")
                return None
            return default
        problem = check(self.value[name])
        if problem:
            self.issues.append(f"{place}: {problem}, got {json.dumps(self.value[name])[:80]}")
            return None
        return self.value[name]

    def nested(self, name: str) -> Fields:
        self.seen.add(name)
        place = f"{self.path}.{name}" if self.path else name
        if name not in self.value:
            self.issues.append(f"{place}: is missing")
            return Fields({}, place, [])
        return Fields(self.value[name], place, self.issues)

    def close(self) -> None:
        for name in sorted(set(self.value) - self.seen):
            place = f"{self.path}.{name}" if self.path else name
            self.issues.append(f"{place}: is not a field; known here: {', '.join(sorted(self.seen))}")


def load(path: str) -> object:
    """The JSON in a request file, or a KnownFailure."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KnownFailure(f"No such request file: {path}", "Give the path of a request in JSON.") from None
    except (OSError, ValueError) as error:
        raise KnownFailure(f"The request {path} cannot be read: {error}", "It must be one JSON object.") from None


def state_of(value: object) -> tuple[str, str | None]:
    """Where a request keeps its state and its submission key, read before all else so that a bad request can say so."""
    if not isinstance(value, dict) or not isinstance(value.get("state"), str) or not value["state"]:
        raise KnownFailure("state: must name a folder", "Give the request a field state.")
    key = value.get("submissionKey")
    return value["state"], key if isinstance(key, str) else None


def refuse(issues: list[str]) -> None:
    """Raises one failure that lists every issue."""
    if issues:
        listed = "\n".join(f"- {issue}" for issue in issues)
        raise KnownFailure(f"The request is not valid:\n{listed}", "Correct these fields.")


def parse_generate(value: object) -> SimpleNamespace:
    """A generation request with its defaults; raises KnownFailure with every issue."""
    issues: list[str] = []
    top = Fields(value, "", issues)
    top.take("schemaVersion", one_of(1))
    request = SimpleNamespace(
        run=top.take("run", text, None),
        submissionKey=top.take("submissionKey", optional(text), None),
        baseModel=top.take("baseModel", text),
        baseLocation=top.take("baseLocation", optional(text), None),
        revision=top.take("revision", optional(text), None),
        batchSize=top.take("batchSize", integer(1), 32),
        latencyRows=top.take("latencyRows", integer(0), 0),
        seed=top.take("seed", integer(0), 1),
        state=top.take("state", text),
        threads=top.take("threads", optional(integer(1)), None),
        jobs=[],
    )
    jobs = top.take("jobs", lambda item: None if isinstance(item, list) and item else "must be a list of jobs") or []
    for index, item in enumerate(jobs):
        job = Fields(item, f"jobs[{index}]", issues)
        request.jobs.append(
            SimpleNamespace(
                name=job.take("name", text),
                adapter=job.take("adapter", optional(text), None),
                rows=job.take("rows", text),
                predictions=job.take("predictions", text),
                maxNewTokens=job.take("maxNewTokens", integer(1)),
                latency=job.take("latency", boolean, True),
            )
        )
        job.close()
    top.close()
    for field in ("name", "predictions"):
        values = [getattr(job, field) for job in request.jobs if getattr(job, field)]
        if len(set(values)) < len(values):
            issues.append(f"jobs: two jobs have the same {field}")
    refuse(issues)
    return request


def parse_train(value: object, objectives: list[str], methods: dict[str, Callable[[Fields], dict]]) -> SimpleNamespace:
    """A training request with its defaults; raises KnownFailure with every issue."""
    issues: list[str] = []
    top = Fields(value, "", issues)
    top.take("schemaVersion", one_of(1))
    request = SimpleNamespace(
        **{name: top.take(name, text) for name in ("run", "submissionKey", "baseModel", "train", "adapter")},
        **{name: top.take(name, text) for name in ("checkpoints", "state")},
        baseLocation=top.take("baseLocation", optional(text), None),
        revision=top.take("revision", optional(text), None),
        validation=top.take("validation", optional(text), None),
        objective=top.take("objective", one_of(*objectives)),
        seed=top.take("seed", integer(0), 1),
        checkpointsPerEpoch=top.take("checkpointsPerEpoch", integer(0), 1),
        evaluationsPerEpoch=top.take("evaluationsPerEpoch", integer(0), 1),
        checkpoint=top.take("checkpoint", one_of("last", "lowest-validation-loss"), "last"),
        threads=top.take("threads", optional(integer(1)), None),
    )
    method = top.nested("method")
    name = method.take("name", one_of(*methods))
    request.method = {"name": name, **(methods[name](method) if name else {})}
    if name:
        method.close()
    values = top.nested("hyperparameters")
    request.hyperparameters = SimpleNamespace(
        epochs=values.take("epochs", number(0, above=True)),
        batchSize=values.take("batchSize", integer(1)),
        gradientAccumulation=values.take("gradientAccumulation", integer(1), 1),
        learningRate=values.take("learningRate", number(0, 1, above=True)),
        scheduler=values.take("scheduler", one_of("linear", "cosine", "constant"), "linear"),
        warmupRatio=values.take("warmupRatio", number(0, 1), 0),
        weightDecay=values.take("weightDecay", number(0, 1), 0),
        maxLength=values.take("maxLength", integer(8), 1024),
    )
    values.close()
    top.close()
    refuse(issues)
    return request
