"""The scenario that a request asks: every question is asked of the store as it would be.

`?scenario=ID` at any address of the map means the real layers seen through that scenario. Staff
may ask for any; others for one whose link they opened, which a cookie of its secret shows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request

from api.auth import is_staff
from geo.errors import NotFoundError
from layers.scenario_edits import opens
from layers.scenarios import SeenScenario, find_scenario, see_scenario
from layers.store import Store

PARAMETER = "scenario"
_KEPT = 6  # scenarios ready to be asked
_LENS, _STATE = "_scenario", "_scenario_state"  # of what a job is asked
_LAYERS = ("scenarios", "scenario_changes")


class SeenScenarios:
    """Scenarios ready to be asked, the last few, each for one state of it and of the store."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Store, str, SeenScenario]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, base: Store, word: str) -> SeenScenario:
        """Return a scenario by id or name, as it and the store stand now.

        Raises
        ------
        NotFoundError
            When there is no such scenario.
        """
        state = f"{base.token()} {base.token(*_LAYERS)}"
        with self._lock:
            kept = self._kept.get(word)
            if kept is None or kept[0] is not base or kept[1] != state:
                kept = (base, state, see_scenario(base, find_scenario(base, word)))
                self._kept[word] = kept
            self._kept.move_to_end(word)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept[2]


def with_lens(inputs: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """Add to what a job is asked the scenario that it is asked of, and the state of that."""
    if store.lens is None:
        return dict(inputs)
    return {**inputs, _LENS: store.lens.id, _STATE: store.token()}


def through_lens(inputs: Mapping[str, Any], base: Store) -> tuple[dict[str, Any], Store]:
    """Return what a job is asked, and the store that it is asked of."""
    plain = {key: value for key, value in inputs.items() if key not in (_LENS, _STATE)}
    word = inputs.get(_LENS)
    if word is None:
        return plain, base
    return plain, see_scenario(base, find_scenario(base, word)).store


def share_cookie(scenario: str) -> str:
    """Return the name of the cookie that holds the secret of a scenario's link."""
    return f"hatchmap_share_{scenario}"


def see_request(request: Request, base: Store) -> SeenScenario | None:
    """Return the scenario that a request names, None when it names none.

    Raises
    ------
    HTTPException
        401 when the request may not see it, or there is none that it could see.
    NotFoundError
        When staff ask for one that does not exist.
    """
    word = request.query_params.get(PARAMETER)
    if not word:
        return None
    seen: SeenScenarios = request.app.state.scenarios
    staff = is_staff(request)
    try:
        found = seen.get(base, word)
    except NotFoundError:
        if staff:
            raise
        found = None
    if found is not None and (staff or _shown(request, found)):
        return found
    raise HTTPException(
        401,
        "this scenario is not public: sign in at /staff, or open it by its link",
        headers={"WWW-Authenticate": 'Bearer realm="hatchmap"'},
    )


def _shown(request: Request, seen: SeenScenario) -> bool:
    secret = request.cookies.get(share_cookie(seen.scenario.id), "")
    return opens(seen.scenario, secret)
