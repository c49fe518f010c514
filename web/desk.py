"""The staff's desk: what only staff may do, each a line with its page; and the sign-in."""

from __future__ import annotations

from collections.abc import Mapping

from web.frame import PageFrame, render

# The key of a line (`desk.KEY` and `desk.KEY_text` in the words) and its page.
DESK: Mapping[str, str] = {
    "match": "/match",
    "structure": "/structure/edit",
    "deals": "/deals",
    "shortage": "/shortage",
    "scenarios": "/scenarios",
    "data": "/admin/data",
    "history": "/admin/history",
    "rules": "/admin/rules",
    "jobs": "/jobs",
    "demands": "/demands",
}


def desk_page(*, frame: PageFrame) -> str:
    """Draw the desk."""
    return render("desk.html", frame=frame, page="desk", desk=DESK)


def sign_in_page(*, frame: PageFrame, wrong: bool = False, signed_in: bool = False) -> str:
    """Draw the form that asks for the staff token.

    Parameters
    ----------
    frame
        What the frame says.
    wrong
        Whether what was given is not the token.
    signed_in
        Whether the reader is signed in already.
    """
    return render("sign_in.html", frame=frame, page="sign_in", wrong=wrong, signed_in=signed_in)
