"""Units of measure as Chinese files write them, and their factor to the unit of a column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# 1 亩 is 10000/15 m² (State Council order on legal units, 1984); 1 t of load weighs 9.80665 kN.
MU_M2 = 10_000.0 / 15.0
GRAVITY = 9.80665

_AREA_M2 = {"m2": 1.0, "万m2": 1e4, "亩": MU_M2, "万亩": MU_M2 * 1e4, "ha": 1e4, "km2": 1e6}
_COUNT = dict.fromkeys(("", "人", "家", "个", "件", "项", "户", "座", "名", "年"), 1.0)

# By the end of a column's name: what its numbers may be written in.
_DIMENSIONS: Mapping[str, Mapping[str, float]] = {
    "_cny_m2_month": {
        "元/m2/月": 1.0,
        "元/月/m2": 1.0,
        "元/m2/年": 1.0 / 12.0,
        "元/年/m2": 1.0 / 12.0,
    },
    "_kn_m2": {"kn/m2": 1.0, "kpa": 1.0, "t/m2": GRAVITY, "kg/m2": GRAVITY / 1000.0},
    "_km2": {unit: factor / 1e6 for unit, factor in _AREA_M2.items()},
    "_m2": _AREA_M2,
    "_cny": {"元": 1.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "亿元": 1e8},
    "_kw": {"kw": 1.0, "w": 1e-3, "mw": 1e3},
    "_share": {"%": 0.01, "‰": 0.001},
    "_months": {"月": 1.0, "年": 12.0},
    "_m": {"m": 1.0, "米": 1.0, "cm": 0.01, "mm": 0.001},
    "minutes": {"分钟": 1.0, "分": 1.0, "min": 1.0, "小时": 60.0, "h": 60.0},
    "people": {"人": 1.0, "万人": 1e4, "千人": 1e3},
}
_SPELLINGS = (
    (r"平方公里|平方千米", "km2"),
    (r"平方米|平米|平方|sqm|㎡|m\^2|m²", "m2"),
    (r"公顷|hectares?", "ha"),
    (r"人民币|cny|rmb|yuan|¥", "元"),
    (r"千瓦", "kw"),
    (r"千牛", "kn"),
    (r"吨", "t"),
    (r"公斤|千克", "kg"),
    (r"个月|months?", "月"),
    (r"years?", "年"),
    (r"每|·|\*|\.|per", "/"),
    (r"[()\s]", ""),
    (r"^m2/月/元$|^元m2/月$", "元/m2/月"),
    (r"/+", "/"),
)


def plain(text: str) -> str:
    """Bring a text to half width, lower case and single signs, for comparing.

    >>> plain("　建筑面积（㎡） "), plain("Total Area_m²")
    ('建筑面积(m2)', 'totalaream2')
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\s_*＊\-—]", "", folded).translate(str.maketrans("[]{}【】〔〕", "()()()()"))


def plain_unit(text: str) -> str:
    """Bring a unit to one spelling.

    >>> plain_unit("万平方米"), plain_unit("元/（平方米·月）"), plain_unit("元每平米每月")
    ('万m2', '元/m2/月', '元/m2/月')
    """
    unit = unicodedata.normalize("NFKC", text).lower()
    for pattern, spelling in _SPELLINGS:
        unit = re.sub(pattern, spelling, unit)
    return unit


def known_units(column: str) -> Mapping[str, float]:
    """Return the units that a column's numbers may be written in, with the factor to its own.

    >>> known_units("area_m2")["万m2"], known_units("tenants")["家"]
    (10000.0, 1.0)
    """
    for ending, units in _DIMENSIONS.items():
        if column.endswith(ending):
            return units
    return _COUNT


def unit_factor(unit: str, column: str) -> float | None:
    """Return the factor from a unit to a column's own; None when the unit does not fit.

    >>> unit_factor("亩", "area_m2") * 3, unit_factor("万元", "area_m2")
    (2000.0, None)
    """
    return known_units(column).get(plain_unit(unit))


def split_unit(heading: str) -> tuple[str, str | None]:
    """Split a heading into its name and the unit that it states.

    >>> split_unit("建筑面积（万㎡）"), split_unit("租金(元/㎡/月)"), split_unit("面积/亩")
    (('建筑面积', '万㎡'), ('租金', '元/㎡/月'), ('面积', '亩'))
    >>> split_unit("名称")
    ('名称', None)
    """
    text = heading.strip()
    bracket = re.fullmatch(r"(.+?)\s*[(（\[【〔](.*)[)）\]】〕]", text)
    if bracket is None:
        bracket = re.fullmatch(r"([^/／:：]+)[/／:：](.+)", text)
    return (bracket[1].strip(), bracket[2].strip()) if bracket else (text, None)
