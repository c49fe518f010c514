// Changing what is there: a record of any layer that can be placed, a target, a rule.
(() => {
  "use strict";
  const { editor, element } = window.hatchmap;
  const { config, words, map, $, address, tell, show, save } = editor;
  const form = $("record-form");
  let record = null; // as the server told it: `id` and its values

  const layer = () => form.elements.layer.value;
  const path = (rest = "") => `${address}/records/${layer()}${rest}`;

  // --- Finding a record ------------------------------------------------------------------------

  let asked = 0;
  async function suggest() {
    const own = ++asked;
    const text = form.elements.record.value.trim();
    const answer = await fetch(`${path()}?text=${encodeURIComponent(text)}`);
    if (own !== asked || !answer.ok) return;
    const { records } = await answer.json();
    $("record-list").replaceChildren(...records.map((one) => {
      const option = element("option", one.name || one.id);
      option.value = one.id;
      return option;
    }));
  }

  async function openRecord() {
    forget();
    const id = form.elements.record.value.trim();
    if (!id) return;
    const answer = await fetch(path(`/${encodeURIComponent(id)}`), { headers: { "Accept-Language": editor.lang } });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      $("record-name").textContent = tell(said);
      return;
    }
    record = said;
    $("record-name").textContent = [said.values.name || said.id, said.values.unit].filter(Boolean).join(" · ");
    $("record-fields").replaceChildren(...config.fields[layer()].map(field));
    const point = said.values.geometry?.type === "Point" ? said.values.geometry.coordinates : ["", ""];
    [form.elements.lon.value, form.elements.lat.value] = point;
    set(true);
  }

  /** Show the fields of a record, or hide them while there is none. */
  function set(on) {
    $("record-open").hidden = !on;
    form.querySelector("[data-do=close]").hidden = !on || !config.closing[layer()];
    form.querySelector("[data-do=unplace]").hidden = !on || !record.values.geometry || !config.unplaced.includes(layer());
  }

  function forget() {
    record = null;
    $("record-name").textContent = "";
    set(false);
  }

  function field({ name, label, kind, choices, required }) {
    const line = element("label", `${label} `, "line");
    const input = document.createElement(choices ? "select" : "input");
    if (choices) {
      for (const [value, text] of [["", ""], ...choices]) {
        const option = element("option", text);
        option.value = value;
        input.append(option);
      }
    } else {
      Object.assign(input, { type: { number: "number", integer: "number", date: "date" }[kind] || "text", maxLength: 200 });
      if (kind === "number") input.step = "any";
    }
    Object.assign(input, { name: `of_${name}`, value: record.values[name] ?? "", required });
    line.append(input);
    return line;
  }

  /** What the fields say otherwise than the record; emptied fields empty it. */
  function changed() {
    const values = {};
    for (const { name, kind } of config.fields[layer()]) {
      const typed = form.elements[`of_${name}`].value;
      if (typed === String(record.values[name] ?? "")) continue;
      values[name] = typed === "" ? null : ["number", "integer"].includes(kind) ? Number(typed) : typed;
    }
    const { lon, lat } = form.elements;
    const [x, y] = record.values.geometry?.type === "Point" ? record.values.geometry.coordinates : ["", ""];
    if (lon.value !== "" && lat.value !== "" && (lon.value !== String(x) || lat.value !== String(y))) {
      values.geometry = point(Number(lon.value), Number(lat.value));
    }
    return values;
  }

  const point = (lon, lat) => ({ type: "Point", coordinates: [lon, lat] });
  const wish = (values) => ({ layer: layer(), action: "change", record: record.id, values });

  async function change(values) {
    if (!Object.keys(values).length) return show("scenario-problem", words.nothing_changed);
    if (await save([wish(values)])) openRecord();
    return undefined;
  }

  if (form) {
    const text = form.elements.record;
    text.addEventListener("input", suggest);
    text.addEventListener("focus", suggest, { once: true });
    text.addEventListener("change", openRecord);
    form.elements.layer.addEventListener("change", () => {
      text.value = "";
      forget();
      suggest();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (record) change(changed());
      else openRecord();
    });
    const actions = {
      try: () => {
        const values = changed();
        if (Object.keys(values).length) editor.tryOut(wish(values));
        else show("scenario-problem", words.nothing_changed);
      },
      move: () => {
        editor.pick((latlng) => {
          editor.stopPicking();
          document.body.classList.add("panel-open");
          change({ geometry: point(latlng.lng, latlng.lat) });
        });
        show("scenario-said", words.click);
      },
      centre: () => {
        const { lng, lat } = map.getCenter();
        [form.elements.lon.value, form.elements.lat.value] = [lng.toFixed(6), lat.toFixed(6)];
        show("scenario-said", words.centre_taken);
        actions.try();
      },
      close: () => {
        const { values, day } = config.closing[layer()];
        change({ ...values, ...(day ? { [day]: new Date().toISOString().slice(0, 10) } : {}) });
      },
      unplace: () => change({ geometry: null }),
      remove: async () => {
        if (await save([{ layer: layer(), action: "remove", record: record.id }])) {
          text.value = "";
          forget();
        }
      },
    };
    for (const button of form.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => (record ? actions[button.dataset.do]() : openRecord()));
    }
    map.on("popupopen", ({ popup }) => {
      const feature = popup._source?.feature;
      // Of the layers of this map only incubators have both.
      if (!feature?.properties?.status || !feature.properties.level) return;
      const button = element("button", words.in_scenario);
      button.type = "button";
      button.addEventListener("click", async () => {
        form.elements.layer.value = "incubators";
        text.value = feature.id;
        form.closest("details").open = true;
        document.body.classList.add("panel-open");
        map.closePopup();
        await openRecord();
        $("record-fields").querySelector("input, select")?.focus();
      });
      popup.getElement()?.querySelector(".leaflet-popup-content")?.append(button);
    });
  }

  // --- Targets and rules -----------------------------------------------------------------------

  /** The change that a form of a target or rule says. */
  const changes = {
    "target-form": (chosen, typed) =>
      ({ layer: "plan_targets", action: "change", record: chosen, values: { value: Number(typed) } }),
    "rule-form": (chosen, typed) => {
      const [rule, ...parts] = chosen.split("/");
      const value = typed === "true" ? true : typed === "false" ? false
        : typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number(typed) : typed;
      return { layer: "rules", action: "change", record: rule, values: { [parts.join("/")]: value } };
    },
  };
  for (const [id, key] of [["target-form", "record"], ["rule-form", "path"]]) {
    const own = $(id);
    if (!own) continue;
    own.elements[key].addEventListener("change", () => {
      own.elements.value.value = own.elements[key].selectedOptions[0].dataset.value ?? "";
    });
    own.addEventListener("submit", (event) => {
      event.preventDefault();
      save([changes[id](own.elements[key].value, own.elements.value.value)]);
    });
  }
})();
