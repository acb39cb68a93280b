"""Reads one kind of TensorFlow Lite file and writes the same network as ONNX.

The files are pinned by hash before they come here, so nothing in them is doubted. Only what the face mesh
uses is known: another operator is a `KeyError`, never a guess. Why this is ours:
docs/decisions/0018-lids-from-a-mesh.md.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_SAME = 0
_TYPES: dict[int, str] = {0: "<f4", 1: "<f2", 2: "<i4"}
_IR_VERSION, _OPSET = 8, 17


def onnx_of(content: bytes, outputs: int) -> onnx.ModelProto:
    """The network with its first `outputs` outputs, fp32, its input and steps channels-first."""
    model = _Table(content, struct.unpack_from("<I", content)[0])
    # Newer files tell the operator in field 3, older ones in field 0.
    kinds = [max(code.number(0, "b"), code.number(3)) for code in model.tables(1)]
    graph = model.tables(2)[0]
    network = _Network(graph.tables(0), model.tables(4))
    for operator in graph.tables(3):
        _OPERATORS[kinds[operator.number(0, "I")]](network, _Step.of(operator))
    (given,), answers = graph.numbers(1), graph.numbers(2)[:outputs]
    made = helper.make_graph(
        network.nodes,
        "network",
        [_told(network, given)],
        [_told(network, answer) for answer in answers],
        network.initializers,
    )
    _drop_unused(made)
    result = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)])
    result.ir_version = _IR_VERSION
    return result


@dataclass(frozen=True, slots=True)
class _Table:
    """A FlatBuffers table: where it starts, and access to its fields by number."""

    data: bytes
    at: int

    def number(self, field_number: int, kind: str = "i") -> int:
        """A field of numbers of the `struct` kind; 0 where the file leaves it out."""
        at = self._field(field_number)
        return 0 if at is None else self._read(kind, at)

    def table(self, field_number: int) -> "_Table":
        at = self._field(field_number)
        assert at is not None, f"field {field_number} is missing"
        return _Table(self.data, self._to(at))

    def tables(self, field_number: int) -> list["_Table"]:
        return [_Table(self.data, self._to(at)) for at in self._places(field_number)]

    def numbers(self, field_number: int) -> list[int]:
        return [self._read("i", at) for at in self._places(field_number)]

    def bytes(self, field_number: int) -> bytes:
        at = self._field(field_number)
        if at is None:
            return b""
        start = self._to(at)
        return self.data[start + 4 : start + 4 + self._read("I", start)]

    def _field(self, number: int) -> int | None:
        directory = self.at - self._read("i", self.at)
        if 4 + 2 * number >= self._read("H", directory):
            return None
        offset = self._read("H", directory + 4 + 2 * number)
        return self.at + offset if offset else None

    def _places(self, number: int) -> list[int]:
        at = self._field(number)
        if at is None:
            return []
        start = self._to(at)
        return [start + 4 + 4 * item for item in range(self._read("I", start))]

    def _read(self, kind: str, at: int) -> int:
        return int(struct.unpack_from("<" + kind, self.data, at)[0])

    def _to(self, at: int) -> int:
        return at + self._read("I", at)


@dataclass(frozen=True, slots=True)
class _Step:
    """One operator: its tensors by number, and the table of its options if it has one."""

    sources: list[int]
    target: int
    operator: _Table

    @classmethod
    def of(cls, operator: _Table) -> "_Step":
        (target,) = operator.numbers(2)
        return cls(operator.numbers(1), target, operator)

    @property
    def options(self) -> _Table:
        return self.operator.table(4)


@dataclass(slots=True)
class _Network:
    """The file's tensors and what was written of the new graph so far."""

    tensors: list[_Table]
    buffers: list[_Table]
    constants: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)

    def shape(self, tensor: int) -> list[int]:
        return self.tensors[tensor].numbers(0)

    def constant(self, tensor: int) -> NDArray[Any]:
        if tensor in self.constants:
            return self.constants[tensor]
        told = self.tensors[tensor]
        content = self.buffers[told.number(2, "I")].bytes(0)
        values: NDArray[Any] = np.frombuffer(content, _TYPES[told.number(1, "B")])
        return values.reshape(self.shape(tensor))

    def keep(self, name: str, values: NDArray[Any]) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind: str, inputs: list[str], target: int, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [_name(target)], **attributes))


def _name(tensor: int) -> str:
    return f"t{tensor}"


def _told(network: _Network, tensor: int) -> onnx.ValueInfoProto:
    batch, height, width, channels = network.shape(tensor)
    shape = [batch, channels, height, width]
    return helper.make_tensor_value_info(_name(tensor), onnx.TensorProto.FLOAT, shape)


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Without the branches whose outputs nobody asked for."""
    wanted = {answer.name for answer in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(list(graph.node)):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.insert(0, node)
    constants = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants)


def _convolution(network: _Network, step: _Step) -> None:
    assert step.options.number(3, "b") == 0, "a fused activation"
    kernel = network.constant(step.sources[1]).transpose(0, 3, 1, 2)
    _convolved(network, step, kernel, groups=1)


def _depthwise(network: _Network, step: _Step) -> None:
    assert step.options.number(4, "b") == 0, "a fused activation"
    kernel = network.constant(step.sources[1]).transpose(3, 0, 1, 2)
    _convolved(network, step, kernel, groups=len(kernel))


def _convolved(network: _Network, step: _Step, kernel: NDArray[Any], *, groups: int) -> None:
    source, _, bias = step.sources
    strides, sides = [step.options.number(2), step.options.number(1)], list(kernel.shape[2:])
    inputs = [
        _name(source),
        network.keep(f"w{step.target}", kernel.astype(np.float32)),
        network.keep(f"b{step.target}", network.constant(bias).astype(np.float32)),
    ]
    pads = _pads(network.shape(source), sides, strides, step.options.number(0, "b"))
    network.add("Conv", inputs, step.target, group=groups, strides=strides, kernel_shape=sides, pads=pads)


def _pads(shape: list[int], kernel: list[int], strides: list[int], padding: int) -> list[int]:
    """TensorFlow's "same": an uneven rest goes to the end."""
    if padding != _SAME:
        return [0, 0, 0, 0]
    missing = [
        max((-(-side // stride) - 1) * stride + wide - side, 0)
        for side, wide, stride in zip(shape[1:3], kernel, strides, strict=True)
    ]
    return [rest // 2 for rest in missing] + [rest - rest // 2 for rest in missing]


def _dequantised(network: _Network, step: _Step) -> None:
    network.constants[step.target] = network.constant(step.sources[0]).astype(np.float32)


def _prelu(network: _Network, step: _Step) -> None:
    source, slope = step.sources
    slopes = network.constant(slope).astype(np.float32).reshape(-1, 1, 1)
    network.add("PRelu", [_name(source), network.keep(f"s{step.target}", slopes)], step.target)


def _sum(network: _Network, step: _Step) -> None:
    network.add("Add", [_name(one) for one in step.sources], step.target)


def _pool(network: _Network, step: _Step) -> None:
    options, (source,) = step.options, step.sources
    sides, strides = [options.number(4), options.number(3)], [options.number(2), options.number(1)]
    pads = _pads(network.shape(source), sides, strides, options.number(0, "b"))
    network.add("MaxPool", [_name(source)], step.target, kernel_shape=sides, strides=strides, pads=pads)


def _pad(network: _Network, step: _Step) -> None:
    source, widths = step.sources
    around = network.constant(widths)[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64)
    network.add("Pad", [_name(source), network.keep(f"p{step.target}", around)], step.target)


def _reshape(network: _Network, step: _Step) -> None:
    source = step.sources[0]
    assert network.shape(source)[1:3] == [1, 1], "a picture flattened channels-last"
    shape = np.array(network.shape(step.target), np.int64)
    network.add("Reshape", [_name(source), network.keep(f"r{step.target}", shape)], step.target)


def _logistic(network: _Network, step: _Step) -> None:
    network.add("Sigmoid", [_name(step.sources[0])], step.target)


# By the numbers of TensorFlow Lite's schema.
_OPERATORS: dict[int, Callable[[_Network, _Step], None]] = {
    0: _sum,
    3: _convolution,
    4: _depthwise,
    6: _dequantised,
    14: _logistic,
    17: _pool,
    22: _reshape,
    34: _pad,
    54: _prelu,
}
