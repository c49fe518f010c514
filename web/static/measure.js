// Measure on the map: click points, read the length of the line and the area that it encloses.
// Leaflet's measuring plugin compiles its texts at run time, which the pages' policy forbids.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});
  const EARTH_M = 6371008.8; // mean radius
  const RULER =
    '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="M2 13 13 2l5 5L7 18z' +
    'M5 10l2 2M8 7l2 2M11 4l2 2" fill="none" stroke="#222" stroke-width="1.6"/></svg>';
  const STYLE = { color: "#b35806", weight: 3, fillOpacity: 0.12, interactive: false };

  function lengthOf(points, map) {
    return points.slice(1).reduce((sum, point, at) => sum + map.distance(points[at], point), 0);
  }

  /** Area on the sphere of the ring through the points, m². */
  function areaOf(points) {
    const radians = (degrees) => (degrees * Math.PI) / 180;
    const sum = points.reduce((total, point, at) => {
      const next = points[(at + 1) % points.length];
      const across = radians(next.lng - point.lng);
      return total + across * (2 + Math.sin(radians(point.lat)) + Math.sin(radians(next.lat)));
    }, 0);
    return Math.abs((sum * EARTH_M * EARTH_M) / 2);
  }

  function amount(value, units, lang) {
    const [size, unit] = value >= units.from ? [value / units.large[0], units.large[1]] : [value, units.small];
    return `${size.toLocaleString(lang, { maximumSignificantDigits: 4 })} ${unit}`;
  }
  const metres = (value, lang) => amount(value, { from: 1000, large: [1000, "km"], small: "m" }, lang);
  const squares = (value, lang) => amount(value, { from: 1e5, large: [1e6, "km²"], small: "m²" }, lang);

  const Measure = L.Control.extend({
    options: { position: "topleft" },

    onAdd(map) {
      const { words } = hatchmap.config;
      const box = L.DomUtil.create("div", "leaflet-bar measure");
      this._button = hatchmap.element("button");
      this._button.innerHTML = RULER;
      this._button.type = "button";
      this._button.title = words.measure;
      this._button.setAttribute("aria-label", words.measure);
      this._button.setAttribute("aria-pressed", "false");
      this._output = hatchmap.element("output");
      this._output.hidden = true;
      box.append(this._button, this._output);
      L.DomEvent.disableClickPropagation(box);
      this._button.addEventListener("click", () => (this._points ? this._stop() : this._start(map)));
      return box;
    },

    _start(map) {
      hatchmap.pick?.(this);
      this._points = [];
      this._line = L.polygon([], STYLE).addTo(map);
      map.on("click", this._add, this);
      map.doubleClickZoom.disable();
      map.getContainer().classList.add("picking");
      this._button.setAttribute("aria-pressed", "true");
      this._say(hatchmap.config.words.measure_hint);
    },

    _add({ latlng }) {
      this._points.push(latlng);
      const { words, lang } = hatchmap.config;
      const ring = this._points.length > 2;
      this._line.setLatLngs(ring ? this._points : [...this._points, ...this._points.slice().reverse()]);
      const said = [`${words.measure_length} ${metres(lengthOf(this._points, this._map), lang)}`];
      if (ring) said.push(`${words.measure_area} ${squares(areaOf(this._points), lang)}`);
      this._say(said.join(" · "));
    },

    _say(text) {
      this._output.textContent = text;
      this._output.hidden = !text;
    },

    /** End, and take what was drawn away. */
    _stop() {
      const map = this._map;
      map.off("click", this._add, this);
      map.doubleClickZoom.enable();
      map.getContainer().classList.remove("picking");
      this._line.remove();
      this._points = null;
      this._button.setAttribute("aria-pressed", "false");
      this._say("");
    },

    stopPicking() {
      if (this._points) this._stop();
    },
  });

  hatchmap.measure = { control: () => new Measure(), areaOf };
})();
