"""Codes of GB/T 4754-2017: a section's letter and two to four digits, C38 or C3824.

The standard divides the economy into 20 sections and 97 divisions; a code is known here down to
its division. What follows (group, class) is kept as given: no open copy of the whole table exists
to hold it against.
"""

from __future__ import annotations

import re

from geo.errors import InputError

# The last division of each section; the first one follows on the section before.
_LAST_DIVISION = {
    "A": 5, "B": 12, "C": 43, "D": 46, "E": 50, "F": 52, "G": 60, "H": 62, "I": 65, "J": 69,
    "K": 70, "L": 72, "M": 75, "N": 79, "O": 82, "P": 83, "Q": 85, "R": 90, "S": 96, "T": 97,
}  # fmt: skip
_CODE = re.compile(r"([A-T]?)(\d{2})(\d{0,2})")


def read_code(text: str) -> str:
    """Return a code in its full form.

    Parameters
    ----------
    text
        The code, with or without the letter of its section.

    Raises
    ------
    InputError
        When it is no code, or its division is not of that section.

    Examples
    --------
    >>> read_code("c38"), read_code("6510")
    ('C38', 'I6510')
    >>> read_code("C65")
    Traceback (most recent call last):
    geo.errors.InputError: 'C65' is no code of GB/T 4754: division 65 is of section I
    """
    found = _CODE.fullmatch(text.strip().upper())
    if found is None:
        raise InputError(
            f"{text[:40]!r} is no code of GB/T 4754; give a letter and two to four digits, as C38"
        )
    letter, digits, rest = found.groups()
    division = int(digits)
    section = next(
        (letter for letter, last in _LAST_DIVISION.items() if 0 < division <= last), None
    )
    if section is None:
        raise InputError(f"{text[:40]!r} is no code of GB/T 4754: there is no division {digits}")
    if letter and letter != section:
        raise InputError(
            f"{text[:40]!r} is no code of GB/T 4754: division {digits} is of section {section}"
        )
    return f"{section}{digits}{rest}"
