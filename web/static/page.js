// The frame of every page: the panel as a sheet on a phone, and the map's own furniture.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});

  function sheet() {
    const toggle = document.getElementById("panel-toggle");
    if (!toggle) return;
    const set = (open) => {
      document.body.classList.toggle("panel-open", open);
      toggle.setAttribute("aria-expanded", String(open));
    };
    toggle.addEventListener("click", () => set(!document.body.classList.contains("panel-open")));
    new MutationObserver(() => {
      toggle.setAttribute("aria-expanded", String(document.body.classList.contains("panel-open")));
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** Give the panel the layer control, and the controls their names. */
  function map(leaflet, layers, config) {
    const slot = document.getElementById("layers-slot");
    const control = document.querySelector(".leaflet-control-layers");
    if (slot && control) {
      L.DomUtil.addClass(control, "in-panel");
      control.classList.remove("leaflet-control");
      slot.replaceChildren(control);
    }
    for (const [selector, words] of [
      [".leaflet-control-zoom-in", config.words.zoom_in],
      [".leaflet-control-zoom-out", config.words.zoom_out],
    ]) {
      const button = document.querySelector(selector);
      button?.setAttribute("title", words);
      button?.setAttribute("aria-label", words);
    }
    leaflet.getContainer().setAttribute("aria-label", config.words.label);
    document.documentElement.dataset.mapReady = "true";
    window.addEventListener("resize", () => leaflet.invalidateSize());
  }

  /** Let one tool at a time take the clicks on the map. */
  let picking = null;
  function pick(tool) {
    picking?.stopPicking();
    picking = tool;
  }

  /** Draw the symbols of the legend by the same functions as the map's. */
  function legend() {
    for (const place of document.querySelectorAll("[data-symbol-level]")) {
      place.innerHTML = hatchmap.incubatorSymbol(place.dataset.symbolLevel, "operating", 17);
    }
    for (const place of document.querySelectorAll("[data-symbol-status]")) {
      place.innerHTML = hatchmap.incubatorSymbol("municipal", place.dataset.symbolStatus, 17);
    }
    for (const place of document.querySelectorAll("[data-space]")) {
      place.style.background = hatchmap.SPACES[place.dataset.space];
    }
    for (const place of document.querySelectorAll("[data-colour]")) {
      place.style.background = hatchmap.AMENITIES[place.dataset.colour];
    }
    for (const place of document.querySelectorAll("[data-role]")) {
      const { colour, rank } = hatchmap.config.roles[place.dataset.role];
      place.style.background = colour || hatchmap.ROLES[rank % hatchmap.ROLES.length];
    }
  }

  hatchmap.config = JSON.parse(document.getElementById("map-config").textContent);
  sheet();
  legend();
  Object.assign(hatchmap, { page: { map }, pick });
})();
