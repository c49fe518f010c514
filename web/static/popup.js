// Pop-ups and tooltips. Everything that comes from data is set as text, never as HTML.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  /** Fill {names} of a text with values. */
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  }

  function nameOf(properties, config) {
    const english = config.lang !== "zh" && properties.name_en;
    return String(english || properties.name || properties.title || properties.id || "");
  }

  function valueText(layer, column, value, config) {
    const choices = (config.choices[layer] || {})[column] || {};
    const one = (item) => choices[item] || String(item);
    if (column === "category" && config.categories[value]) return config.categories[value].label;
    if (column === "role" && config.roles[value]) return config.roles[value].label;
    if (Array.isArray(value)) return value.map(one).join(config.lang === "zh" ? "、" : ", ");
    if (typeof value === "boolean") return value ? config.words.yes : config.words.no;
    if (typeof value === "number") return value.toLocaleString(config.lang);
    const number = /(_m2|_km2|_cny.*|tenants|people)$/.test(column) && Number(value);
    return number ? number.toLocaleString(config.lang) : one(value);
  }

  function popup(layer, properties, config) {
    const spec = config.layers[layer];
    const box = element("div", null, "popup");
    const heading = element("h3", nameOf(properties, config));
    if (properties.provenance === "demo") {
      heading.append(" ", element("span", config.words.demo, "badge"));
    }
    box.append(element("p", spec.label, "popup-layer"), heading);
    if (layer === "industrial_towns") {
      const state = config.states[properties.code] || properties.state;
      if (state) {
        const line = element("p", null, "popup-state");
        line.append(hatchmap.STATES[state].mark, " ", config.stateLabels[state]);
        box.append(line);
      }
    }
    const list = element("dl");
    for (const [column, label] of spec.columns) {
      const value = properties[column];
      if (value === undefined || value === null || value === "" || value.length === 0) continue;
      list.append(element("dt", label), element("dd", valueText(layer, column, value, config)));
    }
    box.append(list);
    if (layer === "incubators" && properties.id && !config.offline) {
      const link = element("a", config.words.open, "more");
      link.href = `/incubators/${encodeURIComponent(properties.id)}?lang=${config.lang}`;
      box.append(link);
    }
    return box;
  }

  function tooltip(layer, properties, config) {
    const many = Number(properties.point_count || 1);
    if (many > 1) return element("span", fill(config.words.points, { count: many }));
    const tip = element("span", nameOf(properties, config));
    const state = layer === "industrial_towns" && (config.states[properties.code] || properties.state);
    if (state) tip.append(" · ", config.stateLabels[state]);
    if (layer === "incubators" && properties.status) {
      tip.append(" · ", valueText(layer, "status", properties.status, config));
    }
    if (layer === "amenities" && properties.category) {
      tip.append(" · ", valueText(layer, "category", properties.category, config));
    }
    return tip;
  }

  Object.assign(hatchmap, { element, fill, nameOf, popup, tooltip });
})();
