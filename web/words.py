"""Words: every text that people see, in Chinese and English, read from `words/LANGUAGE/*.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES: tuple[str, ...] = ("zh", "en")


class Words:
    """The words of one language; call it with a dotted key and the values to fill in.

    Parameters
    ----------
    lang
        The language, as in the `lang` attribute of a page.
    texts
        Texts by dotted key, with `{name}` where a value goes.
    """

    def __init__(self, lang: str, texts: Mapping[str, str]) -> None:
        self.lang = lang
        self._texts = texts

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text of a key with its values filled in.

        Raises
        ------
        KeyError
            When the language has no such text.
        """
        text = self._texts[key]
        return text.format(**values) if values else text

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def get(self, key: str, default: str) -> str:
        """Return the text of a key, or the default for a key of data that has no words."""
        return self._texts.get(key, default)

    def pick(self, thing: Mapping[str, Any], stem: str = "") -> str:
        """Return the name that a thing of the city's data carries in this language.

        Data name things either `zh`, `en` or `name`, `name_en`; the Chinese one is the fallback.

        >>> words("en").pick({"name": "鹿城区", "name_en": "Lucheng"}, "name")
        'Lucheng'
        >>> words("en").pick({"zh": "影院", "en": "Cinema"})
        'Cinema'
        >>> words("zh").pick({"name": "鹿城区", "name_en": "Lucheng"}, "name")
        '鹿城区'
        """
        if stem:
            chinese = thing.get(stem)
            chosen = thing.get(f"{stem}_{self.lang}") if self.lang != "zh" else None
        else:
            chinese, chosen = thing.get("zh"), thing.get(self.lang)
        return str(chosen or chinese or thing.get("key", ""))

    def section(self, prefix: str) -> dict[str, str]:
        """Return the texts under a prefix, by the rest of their keys.

        >>> words("en").section("state")["none"]
        'No incubator'
        """
        start = f"{prefix}."
        return {
            key[len(start) :]: text for key, text in self._texts.items() if key.startswith(start)
        }


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@cache
def words(lang: str) -> Words:
    """Return the words of a language; Chinese for a language that there are no words for.

    >>> words("zh")("state.none")
    '没有孵化器'
    >>> words("fr").lang
    'zh'
    """
    chosen = lang if lang in LANGUAGES else LANGUAGES[0]
    folder = files("web").joinpath("words", chosen)
    texts: dict[str, str] = {}
    for file in folder.iterdir():
        for key, text in _flatten(tomllib.loads(file.read_text("utf-8"))):
            if key in texts:
                raise ValueError(f"words/{chosen}/{file.name}: {key!r} stands in another file too")
            texts[key] = text
    return Words(chosen, texts)
