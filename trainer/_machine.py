"""The machine in words: what a report says that a model was trained on."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from pathlib import Path


def describe() -> str:
    """GPUs where they are used, CPUs, memory and system; nothing that names the very machine."""
    parts = [f"{os.cpu_count() or 1} × {_cpu()}"]
    memory = memory_bytes()
    if memory:
        parts.append(f"{round(memory / 2**30)} GiB memory")
    return ", ".join([*_gpus(), *parts, f"{platform.system().lower()} {platform.machine()}"])


def _gpus() -> list[str]:
    import torch

    if not torch.cuda.is_available():
        return []
    names = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    kinds = [f"{gpu.name} ({round(gpu.total_memory / 2**30)} GiB)" for gpu in names]
    return [f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds)]


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "CPU"


def memory_bytes() -> int:
    """All of the machine's memory; 0 where that is not known."""
    if os.name == "nt":
        return _memory_of_windows()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _memory_of_windows() -> int:
    """In kilobytes, of the modules that are built in."""
    kilobytes = ctypes.c_ulonglong()
    is_known = ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024 if is_known else 0
