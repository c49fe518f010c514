"""Names that a search gives: held against those of the data and the rules, the nearest told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from api.questions.space_search import MAX_CHOICES, SpaceSearch
from geo.errors import Fault
from geo.frames import lists, texts
from geo.textindex import index_texts
from layers.columns import SpaceTable
from layers.query import Query
from layers.store import Store

# Filter → column, for those whose values the city names itself.
_NAMED: Mapping[str, str] = {
    "industry": "industries", "unit": "unit", "town": "town", "role": "role", "zone": "zones",
    "incubator": "incubator", "lab_grade": "lab_grade", "service": "services",
}  # fmt: skip
# Filter → the layer of every accepted value, its column, and those of other words for it.
_LAYERS: Mapping[str, tuple[str, str, Sequence[str]]] = {
    "unit": ("reporting_units", "name", ("name_en", "code")),
    "town": ("divisions", "name", ("name_en", "code")),
    "role": ("structure", "role", ("name",)),
    "zone": ("zones", "name", ()),
    "incubator": ("incubators", "id", ("name",)),
}
_RULES: Mapping[str, str] = {"industry": "industries", "service": "services"}
_MOST_TOLD = 5
_CLOSE = 0.5  # of 1: the likeness from which a name is told as near

Words = dict[str, str]


def check_names(store: Store, table: SpaceTable, search: SpaceSearch) -> list[Fault]:
    """List the values of a question that nothing in the city is called.

    A value that a space has is known from the columns alone. Only another is looked up in the
    layers and rules: a unit without a single space is a fair question, one misspelt is not.

    Parameters
    ----------
    store
        The store.
    table
        Its spaces.
    search
        What is asked.
    """
    faults = []
    for name, column in _NAMED.items():
        values = getattr(search, name)[:MAX_CHOICES]
        if not values:
            continue
        held = table.columns.coded[column].single
        unknown = [value for value in values if value not in held]
        words = _words(store, name, held) if unknown else {}
        faults += [
            Fault(name, "is not known", value[:60], f"the nearest are {_nearest(value, words)}")
            for value in unknown
            if words and words.get(value) != value
        ]
    if search.must:
        keys = [one["key"] for one in store.rules("amenities").body["categories"]]
        faults += [
            Fault("must", "is not a category", category[:60], f"give one of {', '.join(keys)}")
            for category in search.must
            if category not in keys
        ]
    return faults


def _words(store: Store, name: str, held: Collection[str]) -> Words:
    """Return the accepted values by every word that people may have for them."""
    words = _of_layer(store, name) if name in _LAYERS else {}
    if name in _RULES:
        words |= _of_rules(store, _RULES[name])
    # What is a value itself stands for no other.
    return words | {value: value for value in (*words.values(), *held)}


def _of_layer(store: Store, name: str) -> Words:
    layer, column, others = _LAYERS[name]
    also = ("aliases",) if layer == "reporting_units" else ()
    frame = store.read(layer, Query(columns=[*{column, *others, *also} - {"id"}]))
    rows = zip(
        *(texts(frame, one) for one in (column, *others)), lists(frame, "aliases"), strict=True
    )
    return {
        word: value
        for value, *said, aliases in rows
        for word in (value, *said, *aliases)
        if value and word
    }


def _of_rules(store: Store, rules: str) -> Words:
    words: Words = {}
    for one in store.rules(rules).body.get(rules, ()):
        said = (one.get("key"), one.get("name_en"), *one.get("codes", ()), *one.get("aliases", ()))
        words |= {str(word): one["name"] for word in (*said, one["name"]) if word}
    return words


def _nearest(value: str, words: Words) -> str:
    """Name the values nearest to one: those that hold it, in pinyin too, else those like it."""
    known = list(words)
    inside = index_texts(known).find(value).tolist()
    held = sorted((word for word, has in zip(known, inside, strict=True) if has), key=len)
    near = held or get_close_matches(value, known, n=_MOST_TOLD, cutoff=_CLOSE) or sorted(known)
    told = dict.fromkeys(words[word] for word in near)
    return ", ".join(list(told)[:_MOST_TOLD])
