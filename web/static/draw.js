// Tools that take places from the map by mouse, touch and keys, one at a time. With a bar on the
// page (`draw-bar`) its buttons and its text serve them too.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const SAME_PX = 6; // a second tap this near to a corner means the same corner
  const DOUBLE_MS = 350;
  const bar = document.getElementById("draw-bar");
  const round = (value) => Number(value.toFixed(6));

  /**
   * Let a button take places from the map until it is done.
   *
   * `place(latlng, stop)` gets each tap, or the middle of the map on Enter; `undo` takes one back,
   * `finish` says whether it could end, `cancel` drops everything; `say` shows what to do.
   */
  function tool(map, button, { said, say, start, place, undo, finish, cancel }) {
    const box = map.getContainer();
    const self = {
      stopPicking() {
        map.off("click", onClick);
        box.removeEventListener("keydown", onKey, true);
        bar?.removeEventListener("click", onBar);
        if (bar) bar.hidden = true;
        box.classList.remove("picking", "aiming");
        button.setAttribute("aria-pressed", "false");
        // What ended it may have been the first half of a double click.
        setTimeout(() => map.doubleClickZoom.enable(), DOUBLE_MS);
      },
    };
    const stop = () => hatchmap.pick({ stopPicking() {} });
    const onClick = (event) => place(event.latlng, stop);
    const done = () => {
      if (finish?.() !== false) stop();
    };
    const drop = () => {
      stop();
      cancel?.();
      button.focus();
    };
    const onBar = (event) => {
      const asked = event.target.closest("button")?.dataset.draw;
      if (asked === "undo") undo?.();
      if (asked === "done") done();
      if (asked === "cancel") drop();
    };
    function onKey(event) {
      if (event.key === "Escape") drop();
      else if (event.target !== box) return;
      else if (event.key === "Enter") place(map.getCenter(), stop);
      else if (event.key === "Backspace") undo?.();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-pressed") === "true") {
        done();
        return;
      }
      hatchmap.pick(self);
      start?.();
      map.doubleClickZoom.disable();
      map.on("click", onClick);
      box.addEventListener("keydown", onKey, true);
      box.classList.add("picking", "aiming");
      button.setAttribute("aria-pressed", "true");
      if (bar) {
        bar.hidden = false;
        bar.classList.toggle("one", !undo);
        bar.addEventListener("click", onBar);
      }
      say(said);
      box.focus();
    });
  }

  /** Let a button draw an area corner by corner; `done` gets the ring of a GeoJSON polygon. */
  function area(map, button, { said, words, say, layer, style, start, done, cancel }) {
    let corners = [];
    function show() {
      layer.clearLayers();
      const places = corners.map(([lon, lat]) => [lat, lon]);
      if (places.length) L.polygon(places, style).addTo(layer);
      for (const place of places) L.circleMarker(place, { ...style, radius: 5, fillOpacity: 1 }).addTo(layer);
    }
    const near = (at, corner) => {
      const there = map.latLngToContainerPoint([corner[1], corner[0]]);
      return map.latLngToContainerPoint(at).distanceTo(there) <= SAME_PX;
    };
    function finish() {
      if (corners.length < 3) {
        say(words.few);
        return false;
      }
      const ring = [...corners, corners[0]];
      corners = [];
      done(ring);
      return true;
    }
    tool(map, button, {
      said, say, finish,
      start() {
        corners = [];
        layer.clearLayers();
        start?.();
      },
      place(at, stop) {
        const last = corners.at(-1);
        if (last && (near(at, last) || near(at, corners[0]))) {
          if (finish()) stop();
          return;
        }
        corners.push([round(at.lng), round(at.lat)]);
        show();
        say(hatchmap.fill(words.corners, { count: corners.length }));
      },
      undo() {
        corners.pop();
        show();
        say(hatchmap.fill(words.corners, { count: corners.length }));
      },
      cancel() {
        corners = [];
        layer.clearLayers();
        cancel?.();
      },
    });
  }

  hatchmap.draw = { tool, area, round };
})();
