"""Sixteen searches side by side: whole vectors of times in one instruction.

The compiler does not find these vectors by itself, because it cannot know that two rows of one
array never overlap. So they are written down, in the compiler's own intermediate language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# As many 32-bit times as the widest vectors in common use hold.
LANES = 16

_TIMES = ir.VectorType(ir.IntType(32), LANES)
_SUMS = ir.VectorType(ir.DoubleType(), LANES)


def _point(context: Any, builder: Any, array_type: Any, array: Any, at: Any, vector: Any) -> Any:
    """Point at row `at` of a flat array, as a vector."""
    data = context.make_array(array_type)(context, builder, array).data
    first = builder.gep(data, [builder.mul(at, ir.Constant(at.type, LANES))])
    return builder.bitcast(first, vector.as_pointer())


def _load(builder: Any, pointer: Any, item_bytes: int) -> Any:
    """Load a vector that is aligned as its items are."""
    return builder.load(pointer, align=item_bytes)


def _spread(builder: Any, value: Any, vector: Any) -> Any:
    """Fill a vector with one value."""
    first = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), everywhere)


def _type_relax(_context: Any, labels: Any, _target: Any, _source: Any, _ms: Any) -> Any:
    signature = types.void(labels, types.int64, types.int64, types.int32)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, to, source, ms = arguments
        to_row = _point(context, builder, signature.args[0], array, to, _TIMES)
        from_row = _point(context, builder, signature.args[0], array, source, _TIMES)
        known = _load(builder, to_row, 4)
        over = builder.add(_load(builder, from_row, 4), _spread(builder, ms, _TIMES))
        less = builder.icmp_signed("<", over, known)
        builder.store(builder.select(less, over, known), to_row, align=4)
        return context.get_dummy_value()

    return signature, emit


def _type_add_within(
    _context: Any, sums: Any, _group: Any, labels: Any, _row: Any, _limit_ms: Any, _weight: Any
) -> Any:
    signature = types.void(sums, types.int64, labels, types.int64, types.int32, types.float64)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, group, labels, row, limit_ms, weight = arguments
        sum_row = _point(context, builder, signature.args[0], sums, group, _SUMS)
        times = _load(builder, _point(context, builder, signature.args[2], labels, row, _TIMES), 4)
        within = builder.icmp_signed("<=", times, _spread(builder, limit_ms, _TIMES))
        added = builder.select(
            within, _spread(builder, weight, _SUMS), ir.Constant(_SUMS, [0.0] * LANES)
        )
        total = builder.fadd(_load(builder, sum_row, 8), added)
        builder.store(total, sum_row, align=8)
        return context.get_dummy_value()

    return signature, emit


# relax(labels, target, source, ms): lower the times of row `target` to those of row `source` with
# `ms` added, where less. `labels` is a flat array of 32-bit times, sixteen a row.
relax: Callable[..., None] = intrinsic(_type_relax)

# add_within(sums, group, labels, row, limit_ms, weight): add `weight` to row `group` of `sums`
# where row `row` of `labels` is within the limit. `sums` is flat too, of 64-bit numbers.
add_within: Callable[..., None] = intrinsic(_type_add_within)
