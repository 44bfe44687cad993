// What every kind of page uses. DATA is what the program embedded.
const DATA = JSON.parse(document.getElementById("data").textContent);
const PAGE = document.getElementById("page");

// An element; texts are always text, never markup.
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function digits(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-3) return value.toExponential(2);
  return Number(value.toPrecision(size >= 1000 ? 4 : 3)).toLocaleString("en", { maximumFractionDigits: 6 });
}

function scaled(value, steps) {
  for (const [limit, unit] of steps) {
    if (Math.abs(value) >= limit) return `${digits(value / limit)} ${unit}`;
  }
  const [limit, unit] = steps[steps.length - 1];
  return `${digits(value / limit)} ${unit}`;
}

const seconds = (value) => value === 0 ? "0 s" : scaled(value, [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]);
const bytes = (value) => scaled(value, [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]]);
const flops = (value) => scaled(value, [[1e15, "PFLOP"], [1e12, "TFLOP"], [1e9, "GFLOP"], [1e6, "MFLOP"], [1, "FLOP"]]);
const kNoShare = 1e-6;  // what is left where shares that are rounded add up to 1
const percent = (share) => `${digits(Math.abs(share) < kNoShare ? 0 : 100 * share)} %`;
const count = (value) => value.toLocaleString("en");

// Ticks of an axis in one unit: that of its largest value.
function axis_unit(largest, steps) {
  const [limit, unit] = steps.find(([each]) => largest >= each) || steps[steps.length - 1];
  return { unit, text: (value) => digits(Number((value / limit).toPrecision(6))) };
}
const time_unit = (largest) => axis_unit(largest, [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]);
const byte_unit = (largest) => axis_unit(largest, [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]]);

// Charts are made again when the color scheme changes: colors are in their data.
const charts = [];
function chart(parent, height, configuration) {
  const title = parent.closest("section")?.querySelector("h2")?.textContent ?? "";
  const canvas = el("canvas", { role: "img", "aria-label": `chart: ${title}` });
  const box = el("div", { class: "chart", style: `height:${height}px` }, canvas);
  parent.append(box);
  const made = { canvas, box, configuration, chart: null };
  const make = () => {
    Chart.defaults.color = color("faint");
    Chart.defaults.borderColor = color("line");
    Chart.defaults.font.size = 12.5;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.animation = false;
    Chart.defaults.maintainAspectRatio = false;
    Chart.defaults.plugins.legend.labels.boxWidth = 12;
    Chart.defaults.plugins.legend.labels.color = color("text");
    if (made.chart) made.chart.destroy();
    made.chart = new Chart(canvas, made.configuration());
  };
  // Later, because a chart must not vanish while it handles the click that asks for this.
  made.update = () => {
    if (made.waits) return;
    made.waits = true;
    requestAnimationFrame(() => { made.waits = false; make(); });
  };
  make();
  charts.push(made);
  return made;
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const each of charts) each.update();
});

const titled = (text) => ({ display: true, text, color: color("text") });
// A linear axis of time or bytes; `unit` from time_unit or byte_unit.
const axis = (name, unit, more) => ({
  type: "linear", title: titled(`${name} (${unit.unit})`), ticks: { callback: unit.text, maxRotation: 0 }, ...more,
});

// What is larger than its place; the keyboard scrolls it, too.
function scrolling(name, ...children) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, ...children);
}

function table(columns, rows, options = {}) {
  const head = el("tr", {}, columns.map((column) => el("th", { class: column.number ? "number" : null, scope: "col" }, column.title)));
  const body = el("tbody");
  for (const row of rows) {
    body.append(el("tr", {}, columns.map((column) => el("td", { class: column.number ? "number" : null }, column.text(row)))));
  }
  const box = scrolling(`table: ${columns.map((column) => column.title).join(", ")}`, el("table", {}, el("thead", {}, head), body));
  if (options.height) box.style.maxHeight = `${options.height}px`;
  return box;
}

function details(parent, title, pairs, ...more) {
  parent.replaceChildren(
    el("strong", {}, title),
    el("dl", {}, pairs.filter(([, text]) => text !== "" && text != null)
                      .map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))),
    ...more);
}

function choice(label, options, chosen, change) {
  const select = el("select", { onchange: () => change(select.value), "aria-label": label },
    options.map(([value, text]) => el("option", { value, selected: String(value) === String(chosen) }, text)));
  return el("label", {}, label + " ", select);
}

function heading(title, subtitle, about) {
  document.title = title;
  PAGE.append(el("h1", {}, title), el("div", { class: "faint" }, subtitle));
  if (!about || about.head.length === 0) return;
  PAGE.append(el("dl", { class: "about" }, about.head.map(({ name, text }) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))));
}

// Numbers with their definitions: shown where the mouse is or the focus, and read aloud with them.
function number_cards(all) {
  PAGE.append(el("div", { class: "cards" }, all.map(([name, value, meaning, bad]) =>
    el("div", { class: bad ? "card bad" : "card", tabindex: 0, role: "group", "aria-label": `${name}: ${value}. ${meaning}` },
      el("span", { class: "faint" }, name), el("b", {}, value), el("span", { class: "definition", "aria-hidden": "true" }, meaning)))));
}

// What is not modelled and matters for this run.
function show_limits(about) {
  if (!about || about.limits.length === 0) return;
  const box = section("Not modelled, and matters here", "");
  box.append(el("ul", {}, about.limits.map((text) => el("li", {}, text))));
}

function section(title, text) {
  const box = el("section", {}, el("h2", {}, title));
  if (text) box.append(el("p", { class: "faint" }, text));
  PAGE.append(box);
  return box;
}

function from_base64(text) {
  const binary = atob(text);
  const result = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) result[i] = binary.charCodeAt(i);
  return result.buffer;
}
