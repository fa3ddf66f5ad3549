"""Known failures as a message and a hint; nothing else reaches `exit.json` as a traceback."""

from __future__ import annotations

import errno


class KnownFailure(Exception):
    """What failed, with the value that was got, and the next step that mends it."""

    def __init__(self, message: str, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint


class Cancelled(BaseException):
    """Raised by the signal handler while nothing can be saved; no library swallows it."""


def explain(error: BaseException) -> tuple[str, str]:
    """The message and hint for any error; one that is not recognised points at the log."""
    chain = _chain(error)
    for link in chain:
        if isinstance(link, KnownFailure):
            return link.message, link.hint or ""
    text = " | ".join(f"{type(link).__name__}: {link}" for link in chain)
    for matches, message, hint in _PATTERNS:
        if any(word in text for word in matches):
            return message.format(first=_first_line(error)), hint
    if isinstance(error, MemoryError):
        return "The machine ran out of memory.", _MEMORY_HINT
    if isinstance(error, FileNotFoundError):
        return f"No such file: {error.filename}", "Check the path in the request."
    if isinstance(error, PermissionError):
        return f"No permission: {error.filename}", "Give this user the right to read or write it."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"No space left on the device: {error.filename or ''}".rstrip(": "), "Free some space, then start again."
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The Python package {error.name} is not installed.",
            "Install the trainer's environment: pip install -r trainer/requirements.txt",
        )
    return f"{type(error).__name__}: {_first_line(error)}", "The trainer's log has the traceback."


_MEMORY_HINT = (
    "Lower batchSize and raise gradientAccumulation by the same factor, lower maxLength, or take a smaller base model."
)

# Libraries report these by many classes; their texts are what they share.
_PATTERNS = [
    (
        ("OutOfMemoryError", "CUDA out of memory", "can't allocate memory", "Unable to allocate"),
        "The GPU or the machine ran out of memory: {first}",
        _MEMORY_HINT,
    ),
    (
        ("GatedRepoError", "gated repo"),
        "The base model is gated: {first}",
        "Accept its licence on the hub and set HF_TOKEN in the environment.",
    ),
    (
        ("RepositoryNotFoundError", "RevisionNotFoundError"),
        "The hub does not know this base model or revision, or it is private: {first}",
        "Check baseModel and revision; for a private model set HF_TOKEN in the environment.",
    ),
    (
        (
            "LocalEntryNotFoundError",
            "ConnectError",
            "ConnectTimeout",
            "ConnectionError",
            "MaxRetryError",
            "ProxyError",
            "OfflineModeIsEnabled",
            "couldn't connect",
        ),
        "The hub cannot be reached and the model is not in the local cache: {first}",
        "Check the network, download the model once where there is one, or set baseModel to a folder, a .gguf file "
        "or package:<distribution>/<file>.",
    ),
    (
        ("Target modules", "target_modules"),
        "The method's targetModules are not in this base model: {first}",
        'Use "all-linear", or names of linear layers of this model such as q_proj.',
    ),
    (
        ("Weights only load failed", "UnpicklingError"),
        "A file of weights or of a checkpoint holds more than that, and was not read: {first}",
        "Somebody else made it: delete it, and train anew or take the weights as .safetensors.",
    ),
    (
        ("No space left on device",),
        "No space left on the device.",
        "Free some space, then start again.",
    ),
]


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain and len(chain) < 10:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
