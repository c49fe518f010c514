// Search by name over what the map has loaded: a combobox that works by keyboard.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});
  const MOST = 12;
  const SEARCHED = ["incubators", "industrial_towns", "zones", "stations", "reporting_units"];
  const entries = [];
  const placed = new Map();

  function index(name, features) {
    if (!SEARCHED.includes(name)) return;
    for (const feature of features) {
      const p = feature.properties;
      const text = [p.name, p.name_en, ...(p.aliases || []), p.address, p.town]
        .filter(Boolean).join(" ").toLowerCase();
      entries.push({ name, feature, text });
    }
  }

  function place(name, drawn) {
    drawn.eachLayer((layer) => {
      if (layer.feature) placed.set(`${name}/${layer.feature.properties.id}`, layer);
    });
  }

  function find(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    const hits = entries.filter((entry) => entry.text.includes(wanted));
    const rank = ({ text: full }) => (full.startsWith(wanted) ? 0 : 1);
    return hits.sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
  }

  function goTo(entry, map, layers, config) {
    const { name, feature } = entry;
    if (!map.hasLayer(layers[name])) map.addLayer(layers[name]);
    const bounds = L.geoJSON(feature).getBounds();
    map.fitBounds(bounds, { maxZoom: 15, animate: false });
    const open = () => {
      const layer = placed.get(`${name}/${feature.properties.id}`);
      if (layer && layers[name].zoomToShowLayer) {
        layers[name].zoomToShowLayer(layer, () => layer.openPopup());
      } else if (layer) layer.openPopup(bounds.getCenter());
      else {
        L.popup({ maxWidth: 320, autoPanPaddingTopLeft: [56, 12] }).setLatLng(bounds.getCenter())
          .setContent(hatchmap.popup(name, feature.properties, config)).openOn(map);
      }
    };
    window.setTimeout(open, 50);
  }

  function start(map, layers, config, features) {
    const input = document.getElementById("map-search");
    const list = document.getElementById("map-search-list");
    if (!input || !list) return;
    let hits = [];
    let active = -1;

    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    }

    function choose(position) {
      const entry = hits[position];
      if (!entry) return;
      input.value = hatchmap.nameOf(entry.feature.properties, config);
      close();
      goTo(entry, map, layers, config);
      document.body.classList.remove("panel-open");
    }

    function mark(position) {
      const options = list.querySelectorAll("[role=option]");
      if (!options.length) return;
      active = (position + options.length) % options.length;
      options.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
      input.setAttribute("aria-activedescendant", options[active].id);
      options[active].scrollIntoView({ block: "nearest" });
    }

    function draw() {
      hits = find(input.value);
      active = -1;
      if (!input.value.trim()) return close();
      list.replaceChildren(...hits.map((entry, at) => {
        const option = hatchmap.element("li", hatchmap.nameOf(entry.feature.properties, config));
        option.id = `map-search-${at}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.append(" ", hatchmap.element("small", config.layers[entry.name].label));
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(at);
        });
        return option;
      }));
      if (!hits.length) {
        const text = hatchmap.fill(config.words.search_none, { text: input.value.trim() });
        list.append(hatchmap.element("li", text, "nothing"));
      }
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      return undefined;
    }

    input.addEventListener("focus", () => {
      const wanted = SEARCHED.filter((name) => layers[name]);
      Promise.allSettled(wanted.map((name) => features(name))).then(draw);
    }, { once: true });
    input.addEventListener("input", draw);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") mark(active + 1);
      else if (event.key === "ArrowUp") mark(active - 1);
      else if (event.key === "Enter") choose(Math.max(active, 0));
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
  }

  hatchmap.search = { start, index, place };
})();
