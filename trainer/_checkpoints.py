"""Checkpoints that are either whole or not there, and adapters that appear at once.

The trainer writes a checkpoint file by file, so one that a kill interrupted looks like any other; `complete.json`,
written last, tells them apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from _failures import KnownFailure
from _state import read_json, sync_folder, write_json, write_text

MARK = "complete.json"


def last_complete(folder: str) -> Path | None:
    """The complete checkpoint of the highest step; incomplete ones are removed."""
    found: list[tuple[int, Path]] = []
    for path in sorted(Path(folder).glob("checkpoint-*")):
        match = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if not match or not path.is_dir():
            continue
        if read_json(path / MARK):
            found.append((int(match[1]), path))
        else:
            shutil.rmtree(path)
    return max(found)[1] if found else None


def mark_complete(checkpoint: Path, step: int) -> None:
    """Makes all files of a checkpoint durable, then says that it is whole."""
    for path in checkpoint.rglob("*"):
        if path.is_file():
            _sync_file(path)
    write_json(checkpoint / MARK, {"step": step})
    sync_folder(checkpoint.parent)


def hold_to_one_training(folder: str, training: dict) -> None:
    """Ties the folder to what is trained; checkpoints of another training are refused, never mixed in."""
    path = Path(folder) / "training.json"
    known = read_json(path)
    if known and known != training and last_complete(folder):
        changed = ", ".join(sorted(key for key in training | known if training.get(key) != known.get(key)))
        raise KnownFailure(
            f"{folder} holds checkpoints of another training; changed: {changed}.",
            "Give this run a checkpoint folder of its own, or delete that one.",
        )
    if known != training:
        write_json(path, training)


def save_adapter(model, target: str, base_model: str) -> str:
    """Saves an adapter by temporary folder and rename, and returns its digest.

    The same weights give the same bytes: names are sorted, and no path of this machine is in them. The digest is
    SHA-256 over the lines `<SHA-256 of the file> <name>` of its files, sorted by name.
    """
    path = Path(target)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(temporary)
    (temporary / "README.md").unlink(missing_ok=True)
    config_path = temporary / "adapter_config.json"
    config = json.loads(config_path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_model
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()
    write_text(config_path, json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    for file in temporary.iterdir():
        _sync_file(file)
    older = path.with_name(f".{path.name}.{os.getpid()}.old")
    if path.exists():
        os.rename(path, older)
    os.rename(temporary, path)
    shutil.rmtree(older, ignore_errors=True)
    sync_folder(path.parent)
    return folder_digest(path)


def folder_digest(folder: Path) -> str:
    """The digest of all files of a folder, by name and content."""
    lines = [
        f"{file_digest(path)} {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def file_digest(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_file(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
