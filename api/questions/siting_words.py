"""The words of a siting answer, in both languages: why a site, conflicts, prices.

Each is a pair `zh`, `en`.
"""

from __future__ import annotations

from collections.abc import Sequence

Said = dict[str, str]

_NAMED = 4  # names in a sentence before "and n more"


def area(area_m2: float) -> Said:
    """Say an area.

    >>> area(51_200)["zh"], area(51_200)["en"]
    ('5.12万㎡', '51,200 m²')
    """
    return {"zh": f"{area_m2 / 10_000:.4g}万㎡", "en": f"{area_m2:,.0f} m²"}


def money(cost_cny: float) -> Said:
    """Say a sum.

    >>> money(36_750_000)["zh"], money(1.25e9)["en"]
    ('3,675万元', 'CNY 1,250.0 million')
    """
    zh = f"{cost_cny / 1e8:,.2f}亿元" if cost_cny >= 1e8 else f"{cost_cny / 1e4:,.0f}万元"
    return {"zh": zh, "en": f"CNY {cost_cny / 1e6:,.1f} million"}


def listed(names: Sequence[str]) -> Said:
    """Say names, the first few of many.

    >>> listed(["a", "b", "c", "d", "e", "f"])["en"]
    'a, b, c, d and 2 more'
    """
    shown, rest = names[:_NAMED], len(names) - _NAMED
    more_zh, more_en = (f"等{len(names)}个", f" and {rest} more") if rest > 0 else ("", "")
    return {"zh": "、".join(shown) + more_zh, "en": ", ".join(shown) + more_en}


def outside(far_m: float) -> Said:
    """Say why a record far from the city is no candidate."""
    km = f"{far_m / 1000:g}"
    return {
        "zh": f"位于城市范围外超过{km}公里，请核对坐标",
        "en": f"more than {km} km outside the city; check its coordinates",
    }


def unpriced() -> Said:
    """Say why a record is no candidate of a programme."""
    return {
        "zh": "缺少可建面积或造价，请补全",
        "en": "capacity_m2 or cost_cny is missing; complete the record",
    }


def join(parts: Sequence[Said]) -> Said:
    """Put sentences behind each other."""
    return {
        "zh": "；".join(part["zh"] for part in parts),
        "en": "; ".join(part["en"] for part in parts),
    }


def why_town(alone: Sequence[str], serves: int, shares: Sequence[str], *, fixed: bool) -> Said:
    """Say why a site that covers towns is there."""
    parts = [_fixed()] if fixed else []
    if alone:
        names = listed(alone)
        parts.append(
            {"zh": f"只有它覆盖{names['zh']}", "en": f"the only one that covers {names['en']}"}
        )
    parts.append({"zh": f"共覆盖{serves}个强镇", "en": f"covers {serves} towns in all"})
    if shares:
        names = listed(shares)
        parts.append({"zh": f"与{names['zh']}重叠", "en": f"shares some with {names['en']}"})
    return join(parts)


def why_demand(adds: float, serves: float, shares: Sequence[str], *, fixed: bool) -> Said:
    """Say why a site that serves demand is there."""
    parts = [_fixed()] if fixed else []
    parts.append(
        {
            "zh": f"没有它少服务{adds:,.0f}",
            "en": f"without it {adds:,.0f} fewer would be served",
        }
    )
    parts.append({"zh": f"共服务{serves:,.0f}", "en": f"serves {serves:,.0f} in all"})
    if shares:
        names = listed(shares)
        parts.append({"zh": f"与{names['zh']}重叠", "en": f"shares some with {names['en']}"})
    return join(parts)


def why_programme(
    *, fixed: bool, breaks: Sequence[tuple[str, int, float]], towns: Sequence[str]
) -> Said:
    """Say why a site of the programme is there."""
    parts = [_fixed()] if fixed else []
    if breaks:
        unit, year, short_m2 = breaks[0]
        short = area(short_m2)
        parts.append(
            {
                "zh": f"没有它{unit}到{year}年底缺{short['zh']}",
                "en": f"without it {unit} would lack {short['en']} by the end of {year}",
            }
        )
    if towns:
        names = listed(towns)
        parts.append(
            {"zh": f"只有它覆盖{names['zh']}", "en": f"the only one that covers {names['en']}"}
        )
    if not parts:
        parts.append(
            {
                "zh": "补足一个因素尚未达到的指标",
                "en": "comes nearer to a target that cannot be met",
            }
        )
    return join(parts)


def _fixed() -> Said:
    return {"zh": "已定", "en": "is fixed"}


def conflict_area(unit: str, year: int, needs_m2: float, has_m2: float) -> Said:
    """Say that a unit's sites are too small for its target."""
    needs, has = area(needs_m2), area(has_m2)
    return {
        "zh": f"{unit}到{year}年底累计还需{needs['zh']}，其候选用地届时最多提供{has['zh']}",
        "en": (
            f"{unit} needs {needs['en']} more by the end of {year}; all its candidate sites can "
            f"give {has['en']} by then"
        ),
    }


def conflict_town(town: str, year: int) -> Said:
    """Say that no site can cover a town."""
    return {
        "zh": f"{town}：没有任何候选用地能在{year}年底前覆盖",
        "en": f"{town}: no candidate site can cover it by the end of {year}",
    }


def conflict_set(
    units: Sequence[str], towns: Sequence[str], years: Sequence[int], costs: Sequence[float | None]
) -> Said:
    """Say that targets, towns and budgets cannot all be kept."""
    parts = []
    if units:
        names = listed(units)
        parts.append({"zh": f"{names['zh']}的面积指标", "en": f"the area targets of {names['en']}"})
    if towns:
        names = listed(towns)
        parts.append({"zh": f"覆盖{names['zh']}", "en": f"covering {names['en']}"})
    if years:
        span = "、".join(map(str, years))
        parts.append(
            {"zh": f"{span}年的预算", "en": f"the budgets of {', '.join(map(str, years))}"}
        )
    said = {
        "zh": "不能同时满足：" + "、".join(part["zh"] for part in parts),
        "en": "cannot all be kept: " + ", ".join(part["en"] for part in parts),
    }
    needs, has = costs
    if needs is None or has is None:
        return said
    return {
        "zh": f"{said['zh']}（至少需{money(needs)['zh']}，各年预算合计{money(has)['zh']}）",
        "en": f"{said['en']} (at least {money(needs)['en']}; all budgets {money(has)['en']})",
    }


def price(unit: str, step_m2: float, saves_cny: float) -> Said:
    """Say what one step of a unit's target costs."""
    step, saves = area(step_m2), money(saves_cny)
    return {
        "zh": f"{unit}的指标若各年低{step['zh']}，可省{saves['zh']}",
        "en": f"{unit}: {step['en']} less in every year would save {saves['en']}",
    }
