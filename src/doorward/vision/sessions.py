"""One inference session per model in the whole process, made at first use."""

import threading
from pathlib import Path

from doorward.core.errors import Tampered
from doorward.vision import weights
from doorward.vision.runtime import onnxruntime

_FATAL_ONLY = 4
_made: dict[tuple[Path, str, int], onnxruntime.InferenceSession] = {}
_making = threading.Lock()
_arenas: list[onnxruntime.OrtMemoryInfo] = []


def session(name: str, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """The process's only session of the model `name` with that many threads; safe from any thread.

    `Unavailable` when the model was never prepared, `Tampered` when its bytes are not the prepared ones.
    """
    key = (weights.folder(), name, threads)
    ready = _made.get(key)
    if ready is not None:
        return ready
    with _making:
        if key not in _made:
            _made[key] = _open(name, threads)
        return _made[key]


def _open(name: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    # Waiting threads sleep: a door idles most of the day, and a spinning core would be one less for video.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # All models borrow from one arena and keep no plan per image size: 299 MB with all seven open and used,
    # instead of 573 MB, for 3 % of the text detector's time (docs/decisions/0001-face-models.md).
    _share_one_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False
    # Opened by path: handing the bytes over keeps a second copy of them alive in the allocator.
    place = weights.proven_path(name)
    try:
        return onnxruntime.InferenceSession(str(place), options, providers=["CPUExecutionProvider"])
    except (RuntimeError, ValueError) as error:
        raise Tampered(f"The model {name} cannot be read: run `doorward models prepare`.") from error


def _share_one_arena() -> None:
    if _arenas:
        return
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, None)
    _arenas.append(memory)
