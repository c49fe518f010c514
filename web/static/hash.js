// The address holds the whole view: zoom, place, layers shown and language.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});

  /** Read `#map=11/27.9000/120.7000&layers=a,b&lang=zh`. */
  function parse(text) {
    const parts = new URLSearchParams(text.replace(/^#/, ""));
    const [zoom, lat, lon] = (parts.get("map") || "").split("/").map(Number);
    const view = [zoom, lat, lon].every(Number.isFinite) && parts.get("map") ? { zoom, lat, lon } : null;
    const layers = parts.has("layers") ? parts.get("layers").split(",").filter(Boolean) : null;
    return { view, layers, lang: parts.get("lang") };
  }

  function write(map, layers, config) {
    const { lat, lng } = map.getCenter();
    const shown = Object.keys(layers).filter((name) => map.hasLayer(layers[name]));
    const view = `${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`;
    return `#map=${view}&layers=${shown.join(",")}&lang=${config.lang}`;
  }

  function apply(map, layers, config) {
    const { view, layers: wanted, lang } = parse(location.hash);
    if (lang && lang !== config.lang && !config.offline) {
      const url = new URL(location.href);
      url.searchParams.set("lang", lang);
      location.replace(url);
      return;
    }
    if (view) map.setView([view.lat, view.lon], view.zoom, { animate: false });
    if (!wanted) return;
    for (const [name, layer] of Object.entries(layers)) {
      const show = wanted.includes(name);
      if (show && !map.hasLayer(layer)) map.addLayer(layer);
      if (!show && map.hasLayer(layer)) map.removeLayer(layer);
    }
  }

  function start(map, layers, config) {
    apply(map, layers, config);
    let written = "";
    const keep = () => {
      written = write(map, layers, config);
      history.replaceState(null, "", written);
      document.querySelectorAll("a[data-keep-view]").forEach((link) => {
        const lang = new URL(link.href).searchParams.get("lang");
        link.hash = written.replace(/lang=\w+/, `lang=${lang}`);
      });
    };
    map.on("moveend layeradd layerremove", (event) => {
      if (event.type === "moveend" || Object.values(layers).includes(event.layer)) keep();
    });
    window.addEventListener("hashchange", () => {
      if (location.hash !== written) apply(map, layers, config);
    });
    keep();
  }

  hatchmap.hash = { start, parse };
})();
