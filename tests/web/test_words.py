"""Both languages say the same things, and templates ask for nothing that is missing."""

import re

import pytest

from tests.web.world import view
from web.assets import HOME
from web.mapview import map_config
from web.words import LANGUAGES, words

USED = re.compile(r"""\bw\(\s*["']([\w.]+)["']\s*[,)]""")


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_languages_have_the_same_keys():
    chinese, english = (words(lang) for lang in LANGUAGES)
    assert set(chinese) == set(english)


@pytest.mark.parametrize("key", sorted(words("zh")))
def test_languages_fill_in_the_same_values(key):
    assert placeholders(words("zh")(key)) == placeholders(words("en")(key))


def test_every_word_asked_for_exists():
    files = [*(HOME / "templates").glob("*.html"), *HOME.glob("*.py")]
    asked = {key for file in files for key in USED.findall(file.read_text("utf-8"))}
    assert len(asked) > 100
    assert asked <= set(words("zh"))


def test_unknown_word_is_an_error():
    with pytest.raises(KeyError):
        words("zh")("no.such.word")


def test_scripts_use_only_words_that_they_are_given():
    given = map_config(view())["words"]
    scripts = "\n".join(p.read_text("utf-8") for p in (HOME / "static").glob("*.js"))
    found = re.findall(r"config\.words\.(\w+)|\bwords\.(reach_\w+)", scripts)
    asked = {word for pair in found for word in pair if word}
    assert len(asked) > 15
    assert asked <= set(given)
