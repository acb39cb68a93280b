"""ONNX Runtime, told to keep to itself before it is loaded.

Its Linux wheels carry a telemetry client that numbers the machine, keeps a database under the home folder and
reports what is run to its maker. It reads its switch when the library is loaded, so nothing else may load it.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # noqa: TID251  not a setting of ours: nobody may turn it on

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]
