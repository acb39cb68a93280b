"""Compiles loops with numba and LLVM to code that needs neither. Only who compiles imports this.

Each loop gets an entry that takes the address of a row of 64-bit words and calls it with those.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from types import FunctionType
from typing import Any, Final

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core.compiler import Flags, compile_extra
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from doorward.matching.compiling import PIECES, Array, Kind, Loop, cells_at, fetch, words_at
from doorward.matching.keeping import Compiled
from doorward.matching.linking import linked

RUNTIME: Final = """
define ptr @memset(ptr %to, i32 %value, i64 %count) {
start:
  %one = trunc i32 %value to i8
  %first = insertelement <64 x i8> poison, i8 %one, i32 0
  %line = shufflevector <64 x i8> %first, <64 x i8> poison, <64 x i32> zeroinitializer
  %whole = and i64 %count, -64
  br label %lines
lines:
  %i = phi i64 [ 0, %start ], [ %after, %store ]
  %more = icmp ult i64 %i, %whole
  br i1 %more, label %store, label %rest
store:
  %place = getelementptr i8, ptr %to, i64 %i
  store <64 x i8> %line, ptr %place, align 1
  %after = add i64 %i, 64
  br label %lines
rest:
  %j = phi i64 [ %whole, %lines ], [ %next, %last ]
  %left = icmp ult i64 %j, %count
  br i1 %left, label %last, label %end
last:
  %at = getelementptr i8, ptr %to, i64 %j
  store i8 %one, ptr %at
  %next = add i64 %j, 1
  br label %rest
end:
  ret ptr %to
}
declare void @llvm.trap()
define void @NRT_MemInfo_call_dtor(ptr %owner) {
  call void @llvm.trap()
  unreachable
}
"""
"""All that loops take for granted: LLVM makes `memset` of some by itself, and numba would free an array when
its last owner lets go, but these have none. Anything else is refused by the linker."""


def translated(loops: Sequence[Loop[..., Any]]) -> Compiled:
    """The code of these loops."""
    module = lowered(loops)
    code, starts = linked(machine().emit_object(module))
    return Compiled(code, {loop.function.__name__: starts[loop.function.__name__] for loop in loops})


def jitted(loops: Sequence[Loop[..., Any]]) -> Any:
    """The code of these loops, linked and held by LLVM: slower to start, larger, right on any processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    engine = llvm.create_mcjit_compiler(lowered(loops), machine())
    engine.finalize_object()
    return engine


def assembly(loops: Iterable[Loop[..., Any]]) -> str:
    """The same as text, for reviewers."""
    return str(machine().emit_assembly(lowered(loops)))


def lowered(loops: Iterable[Loop[..., Any]]) -> Any:
    """All that these loops need, as one module of LLVM, optimised by numba."""
    module = llvm.parse_assembly(RUNTIME)
    for loop in loops:
        module.link_in(_lowered(loop))
    return module


def machine() -> Any:
    """This processor, with all that it can do; code that is right wherever it lies."""
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="small",
    )


def _lowered(loop: Loop[..., Any]) -> Any:
    flags: Any = Flags()  # type: ignore[no-untyped-call]
    flags.nrt = True  # or an array at an address cannot be told of; the linker sees that none is made
    flags.error_model = "numpy"
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    takes = tuple(_numba_type(kind) for kind in loop.takes)
    contexts = cpu_target.typing_context, cpu_target.target_context
    compile_to: Any = compile_extra
    made = compile_to(*contexts, _with_pieces(loop.function), takes, types.void, flags, {})
    module: Any = llvm.parse_assembly(made.library.get_llvm_str())
    inner = made.fndesc.llvm_func_name
    kinds = [str(argument.type) for argument in module.get_function(inner).arguments]
    module.link_in(llvm.parse_assembly(_entry(loop.function.__name__, inner, kinds)))
    for each in (*module.functions, *module.global_variables):
        if not each.is_declaration and each.name != loop.function.__name__:
            each.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine(), llvm.create_pipeline_tuning_options()))
    return module


def _entry(name: str, inner: str, kinds: list[str]) -> str:
    """Calls a function of numba's: room for what it returns and raises, then one argument a word."""
    loads = "\n".join(
        f"  %p{place} = getelementptr i64, ptr %words, i64 {place}\n  %a{place} = load {kind}, ptr %p{place}"
        for place, kind in enumerate(kinds[2:])
    )
    given = "".join(f", {kind} %a{place}" for place, kind in enumerate(kinds[2:]))
    return f"""
declare i32 @"{inner}"({", ".join(kinds)})
define void @{name}(ptr %words) {{
  %returned = alloca ptr
  %raised = alloca ptr
{loads}
  %status = call i32 @"{inner}"(ptr %returned, ptr %raised{given})
  ret void
}}
"""


def _numba_type(kind: Kind) -> Any:
    if isinstance(kind, Array):
        return types.Array(numba.from_dtype(kind.kind), kind.dimensions, "C", readonly=not kind.is_written)
    return numba.from_dtype(kind)


def _with_pieces(function: Any) -> Callable[..., Any]:
    """The function, with what it calls as numba knows it."""
    everything = function.__globals__
    names = {name: _known(everything[name]) for name in function.__code__.co_names if name in everything}
    return FunctionType(function.__code__, names, function.__name__)


def _known(value: Any) -> Any:
    if not isinstance(value, FunctionType):
        return value
    return _piece(value) if value in PIECES else OWN.get(value, value)


@cache
def _piece(function: FunctionType) -> Any:
    return numba.njit(**PIECES[function])(_with_pieces(function))


def _array_at(kind: Any) -> Any:
    """The array of this kind and shape at an address."""

    def pointer_to(_: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        pointer: Any = types.CPointer
        return pointer(kind)(address), code

    at: Any = intrinsic(pointer_to)

    @numba.njit(inline="always")
    def array_at(address: Any, shape: Any) -> Any:
        return numba.carray(at(address), shape)  # type: ignore[attr-defined]  # it does not list it

    return array_at


def _fetched(_: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        name = "llvm.prefetch.p0"
        known = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        read, keep, data = number(0), number(3), number(1)
        builder.call(known, [builder.inttoptr(arguments[0], byte), read, keep, data])
        return context.get_dummy_value()

    nothing: Any = types.void
    return nothing(address), code


OWN: Final[dict[Callable[..., Any], Any]] = {
    cells_at: _array_at(types.int32),
    words_at: _array_at(types.uint32),
    fetch: intrinsic(_fetched),
}
"""What `compiling` declares for loops, as instructions of the processor."""
