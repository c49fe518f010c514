"""Results as JSON can hold them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """Turn a result into dicts, lists, texts, numbers, truth values and None.

    Dataclasses become dicts by field, dates ISO texts, and every kind of missing or infinite
    number None.

    Examples
    --------
    >>> plain({"a": np.float64("nan"), "n": np.int32(2), "on": pd.Timestamp("2026-11-24")})
    {'a': None, 'n': 2, 'on': '2026-11-24'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    return value


def share(part: float | None, whole: float | None) -> float | None:
    """Divide, where both are known and the whole is not nothing.

    >>> share(1, 4), share(1, 0), share(None, 2)
    (0.25, None, None)
    """
    if part is None or whole is None or not whole:
        return None
    return round(float(part) / float(whole), 10)
