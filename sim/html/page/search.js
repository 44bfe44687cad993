// The page of a search.
const kMostLines = 300;  // of the parallel coordinates: more are a carpet
const kMostTicks = 12;   // of a column of them: more overlap
const kMostRows = 200;   // of the table at once
const SIMULATED = DATA.candidates.filter((each) => each.values.length > 0);
const VIEW = {
  x: 0, y: Math.min(1, DATA.columns.length - 1), chosen: null, filters: DATA.parameters.map(() => ""), status: "", front: false,
  sort: { column: "rank", up: true }, most: kMostRows,
};
const drawn = [];

const column_title = (column) => `${column.name} (${column.unit}${column.unit ? ", " : ""}${column.higher_is_better ? "more" : "less"} is better)`;
const short_title = (column) => `${column.name} ${column.unit}${column.unit ? " " : ""}${column.higher_is_better ? "↑" : "↓"}`;
const known = (each, at) => each.values.length > 0 && each.values[at] !== null;
const value_text = (each, at) => known(each, at) ? `${digits(each.values[at])} ${DATA.columns[at].unit}` : "not known";
const may_be_chosen = (each) => each.status === "simulated";
const runs = (each) => may_be_chosen(each) || each.status === "misses a constraint";
const limits_of = (each) => may_be_chosen(each) ? "" : runs(each) ? ", which misses a constraint" : ", which does not run";
const layout_of = (each) => DATA.parameters.map((name, at) => `${name} ${each.parameters[at]}`).join(", ");

const name_of = (each) => each.rank > 0 ? `Candidate ${each.rank}` + (each.is_plan ? ", the plan's own layout" : "") :
  each.is_plan ? "The plan's own layout" + limits_of(each) : `A candidate that ${each.status === "refused" ? "is refused" : each.status}`;

function passes(each) {
  return VIEW.filters.every((value, at) => value === "" || each.parameters[at] === value) &&
         (VIEW.status === "" || each.status === VIEW.status) && (!VIEW.front || each.on_front);
}

// Those that no other beats in both of the chosen objectives, in the order of the first.
function front_of(candidates) {
  const sign = (at) => DATA.columns[at].higher_is_better ? -1 : 1;
  const cost = (each) => [sign(VIEW.x) * each.values[VIEW.x], sign(VIEW.y) * each.values[VIEW.y]];
  const sorted = [...candidates].sort((a, b) => cost(a)[0] - cost(b)[0] || cost(a)[1] - cost(b)[1]);
  let best = Infinity;
  return sorted.filter((each) => { const wins = cost(each)[1] < best; if (wins) best = cost(each)[1]; return wins; });
}

const CANDIDATE = el("div", { class: "details", id: "candidate", "aria-live": "polite" },
  "Click a point, a line or a row: its layout, its numbers, and the command that simulates it.");

function choose(each) {
  VIEW.chosen = each;
  const pairs = [["layout", layout_of(each) + (each.is_plan ? " (the plan's own)" : "")], ["status", each.status], ["reason", each.reason],
                 ["on the Pareto front", each.on_front ? "yes" : "no"],
                 ["nearer to the best than the expected error", each.tie ? "yes" : "no"]];
  if (each.values.length > 0) {
    DATA.columns.forEach((column, at) => pairs.push([column.name, value_text(each, at)]));
  }
  details(CANDIDATE, name_of(each), pairs,
    each.command ? el("div", {}, "Simulate it: ", el("code", {}, each.command)) : null,
    each.run_page ? el("div", {}, el("a", { href: each.run_page }, "Open its run")) : null);
  for (const made of drawn) made.update();
  show_rows();
}

function show_front() {
  const box = section("Trade-offs", (DATA.exhaustive ? "Every layout. " : "The best layouts and the front; others, which cannot enter it, are not all simulated (--exhaustive shows them). ") +
    "The line joins those that no other beats in both objectives; filled points are on the front of all objectives.");
  const set = (name) => (value) => { VIEW[name] = Number(value); made.update(); };
  const options = DATA.columns.map((objective, at) => [at, column_title(objective)]);
  box.append(el("div", { class: "controls" }, choice("Across", options, VIEW.x, set("x")), choice("Up", options, VIEW.y, set("y"))));
  const point = (each) => ({ x: each.values[VIEW.x], y: each.values[VIEW.y], each });
  const made = chart(box, 420, () => {
    const shown = SIMULATED.filter(passes).filter((each) => known(each, VIEW.x) && known(each, VIEW.y));
    const kept = shown.filter(may_be_chosen);
    const sets = [
      { label: "on the Pareto front", data: shown.filter((each) => each.on_front).map(point), backgroundColor: color("ep"),
        borderColor: color("ep"), pointRadius: 6, pointHoverRadius: 8 },
      { label: "beaten by another", data: kept.filter((each) => !each.on_front).map(point), backgroundColor: "transparent",
        borderColor: color("faint"), pointRadius: 4, pointHoverRadius: 7 },
      { label: "best of these two", type: "line", data: front_of(kept).map(point), borderColor: color("tp"), backgroundColor: color("tp"),
        borderWidth: 1.6, pointRadius: 0, pointHitRadius: 0, pointStyle: "line" },
    ];
    if (kept.length < shown.length) {
      sets.push({ label: "does not fit or breaks a constraint", data: shown.filter((each) => !may_be_chosen(each)).map(point), borderColor: color("bad"),
                  pointStyle: "crossRot", pointRadius: 4, pointHoverRadius: 7 });
    }
    const plan = shown.filter((each) => each.is_plan);
    if (plan.length > 0) {
      sets.unshift({ label: "the plan's own layout" + limits_of(plan[0]), data: plan.map(point), backgroundColor: color("bad"),
                     borderColor: color("bad"), pointStyle: plan.every(may_be_chosen) ? "triangle" : "crossRot", pointRadius: 9, pointHoverRadius: 11 });
    }
    if (VIEW.chosen && known(VIEW.chosen, VIEW.x) && known(VIEW.chosen, VIEW.y)) {
      sets.unshift({ label: "chosen", data: [point(VIEW.chosen)], backgroundColor: color("mark"), borderColor: color("mark"), pointRadius: 8 });
    }
    const scale = (at) => ({ type: "linear", title: titled(column_title(DATA.columns[at])),
                             ticks: { callback: (value) => digits(Number(value.toPrecision(6))) }, grace: "4%" });
    return {
      type: "scatter",
      data: { datasets: sets },
      options: {
        scales: { x: scale(VIEW.x), y: scale(VIEW.y) },
        interaction: { mode: "nearest", intersect: true },
        onClick: (event, hits) => { if (hits.length) choose(made.chart.data.datasets[hits[0].datasetIndex].data[hits[0].index].each); },
        plugins: { legend: { labels: { usePointStyle: true } }, tooltip: { filter: (item) => item.dataset.type !== "line", callbacks: {
          title: (items) => items.length ? name_of(items[0].raw.each) : "",
          label: (item) => [...DATA.parameters.map((name, at) => `${name} ${item.raw.each.parameters[at]}`),
                            ...DATA.columns.map((column, at) => `${column.name} ${value_text(item.raw.each, at)}`)],
        } } },
      },
    };
  });
  drawn.push(made);
  box.append(CANDIDATE);
}

// A column of the parallel coordinates: where a candidate crosses it, from 0 to 1, and the texts beside it.
function parallel_axis(title, values, texts) {
  if (texts) {
    const distinct = [...new Set(texts)].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
    const place = (text) => distinct.length > 1 ? distinct.indexOf(text) / (distinct.length - 1) : 0.5;
    return { title, at: texts.map(place),
             ticks: distinct.filter((_, index) => index % Math.ceil(distinct.length / kMostTicks) === 0).map((text) => [place(text), text]) };
  }
  const numbers = values.filter((value) => value !== null);
  const low = Math.min(...numbers), high = Math.max(...numbers);
  const place = (value) => value === null ? null : high > low ? (value - low) / (high - low) : 0.5;
  const ticks = high > low ? [0, 0.25, 0.5, 0.75, 1].map((share) => [share, digits(low + share * (high - low))]) : [[0.5, digits(low)]];
  return { title, at: values.map(place), ticks };
}

function show_parallel() {
  const box = section("Parallel coordinates", "A line is a candidate, a column a choice or a result" +
    (SIMULATED.length > kMostLines ? `; the best ${kMostLines}, and the front.` : ". Orange: on the Pareto front.") +
    (SIMULATED.every(may_be_chosen) ? "" : " Red: does not fit, or breaks a constraint."));
  const wide = scrolling("parallel coordinates");
  wide.style.border = "0";
  box.append(wide);
  const made = chart(wide, 360, () => {
    const lines = SIMULATED.filter(passes).filter((each, at) => at < kMostLines || each.on_front || each === VIEW.chosen);
    const columns = [
      ...DATA.parameters.map((name, at) => parallel_axis(name, null, lines.map((each) => each.parameters[at]))),
      ...DATA.columns.map((objective, at) => parallel_axis(short_title(objective), lines.map((each) => each.values[at]))),
    ];
    const look = (each) => each === VIEW.chosen ? [color("mark"), 3.5, 0] : each.on_front ? [color("tp"), 2, 1] : [color(may_be_chosen(each) ? "faint" : "bad") + "66", 1, 2];
    const scales = { x: { type: "linear", min: -0.3, max: columns.length - 0.5, display: false }, y: { min: -0.04, max: 1.04, display: false } };
    columns.forEach((column, at) => {
      scales[`column_${at}`] = {
        type: "linear", axis: "y", position: { x: at }, min: -0.04, max: 1.04, grid: { drawOnChartArea: false, borderColor: color("faint") },
        afterBuildTicks: (scale) => { scale.ticks = column.ticks.map(([value]) => ({ value })); },
        ticks: { autoSkip: false, z: 1, color: color("text"), backdropColor: color("back") + "f0", showLabelBackdrop: true, backdropPadding: 2,
                 callback: (value) => column.ticks.find(([tick]) => tick === value)[1] },
      };
    });
    return {
      type: "line",
      data: { datasets: lines.map((each, row) => {
        const [line, width, order] = look(each);
        return { data: columns.map((column, at) => ({ x: at, y: column.at[row], each })), borderColor: line, backgroundColor: line,
                 borderWidth: width, order, pointRadius: 0, pointHitRadius: 5, yAxisID: "y" };
      }) },
      plugins: [{ id: "titles", afterDraw: (drawing) => {
        const context = drawing.ctx;
        context.save();
        context.fillStyle = color("text");
        context.font = `600 12.5px ${Chart.defaults.font.family}`;
        context.textAlign = "center";
        columns.forEach((column, at) => {
          const middle = drawing.scales.x.getPixelForValue(at), width = context.measureText(column.title).width;
          const fits = Math.min(middle, drawing.width - width / 2);  // the last column is near the edge
          context.fillText(column.title, Math.max(fits, width / 2), at % 2 ? 29 : 13);  // neighbours are not side by side
        });
        context.restore();
      } }],
      options: {
        layout: { padding: { top: 38, bottom: 6 } }, scales,
        interaction: { mode: "nearest", intersect: true },
        onClick: (event, hits) => { if (hits.length) choose(made.chart.data.datasets[hits[0].datasetIndex].data[0].each); },
        plugins: { legend: { display: false }, tooltip: { filter: (item, at) => at === 0, callbacks: {
          title: (items) => items.length ? name_of(items[0].raw.each) : "", label: (item) => layout_of(item.raw.each),
        } } },
      },
    };
  });
  // So much that the titles of columns, in two rows, have room.
  made.box.style.minWidth = `${90 * (DATA.parameters.length + DATA.columns.length)}px`;
  drawn.push(made);
}

const HEAD = el("tr");
const BODY = el("tbody");
const COUNT = el("span", { class: "faint", "aria-live": "polite" });
const MORE = el("button", { type: "button", onclick: () => { VIEW.most += kMostRows; show_rows(); } }, "Show more");

function columns_of_table() {
  return [
    { key: "rank", title: "rank", number: true, value: (each) => each.rank || Infinity, text: (each) => each.rank ? String(each.rank) : "" },
    ...DATA.parameters.map((name, at) => ({
      key: `parameter ${at}`, title: name, number: SIMULATED.every((each) => !isNaN(each.parameters[at])),
      value: (each) => isNaN(each.parameters[at]) ? each.parameters[at] : Number(each.parameters[at]), text: (each) => each.parameters[at],
    })),
    ...DATA.columns.map((column, at) => ({
      key: `column ${at}`, title: short_title(column), definition: column.definition, number: true,
      value: (each) => known(each, at) ? each.values[at] : Infinity,
      text: (each) => known(each, at) ? digits(each.values[at]) : "",
    })),
    ...(DATA.candidates.some((each) => each.skewed !== undefined) ? [
      { key: "skewed", title: `${DATA.columns[0].name} with uneven experts`, number: true, value: (each) => each.skewed ?? Infinity,
        text: (each) => each.skewed === undefined ? "" : digits(each.skewed) },
      { key: "skewed place", title: "place then", number: true, value: (each) => each.skewed_place ?? Infinity,
        text: (each) => each.skewed_place === undefined ? "" : String(each.skewed_place) },
    ] : []),
    { key: "status", title: "status", value: (each) => each.status, text: (each) => [each.status, each.on_front && "on the front", each.tie && "a tie with the best", each.is_plan && "the plan's own", each.platform_assumed && "its platform has guesses"].filter(Boolean).join(", ") },
    { key: "reason", title: "reason", value: (each) => each.reason, text: (each) => each.reason },
  ].filter((column) => column.key !== "reason" || DATA.candidates.some((each) => each.reason !== ""));
}

function show_rows() {
  const columns = columns_of_table();
  HEAD.replaceChildren(...columns.map((column) => el("th", { scope: "col", class: column.number ? "number" : null,
      "aria-sort": VIEW.sort.column === column.key ? (VIEW.sort.up ? "ascending" : "descending") : null },
    el("button", { type: "button", title: column.definition || null, onclick: () => {
      VIEW.sort = { column: column.key, up: VIEW.sort.column === column.key ? !VIEW.sort.up : true };
      show_rows();
    } }, column.title + (VIEW.sort.column === column.key ? (VIEW.sort.up ? " ▲" : " ▼") : "")))));
  const by = columns.find((column) => column.key === VIEW.sort.column).value;
  const rows = DATA.candidates.filter(passes).sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    return (left < right ? -1 : left > right ? 1 : (a.rank || 1e9) - (b.rank || 1e9)) * (VIEW.sort.up ? 1 : -1);
  });
  COUNT.textContent = `${count(rows.length)} of ${count(DATA.candidates.length)} candidates`;
  BODY.replaceChildren(...rows.slice(0, VIEW.most).map((each) => el("tr", {
      class: each === VIEW.chosen ? "choice chosen" : "choice", tabindex: 0, onclick: () => choose(each),
      onkeydown: (event) => { if (event.key === "Enter") choose(each); } },
    columns.map((column) => el("td", { class: column.number ? "number" : null }, column.text(each))))));
  MORE.hidden = rows.length <= VIEW.most;
}

function show_table() {
  const box = section("Ranking", DATA.columns.filter((column) => column.definition !== column.name)
    .map((column) => `${column.name}: ${column.definition}`).join("; ") + ". " + DATA.absences.map((text) => text + ". ").join(""));
  const again = () => { for (const made of drawn) made.update(); show_rows(); };
  const selects = DATA.parameters.map((name, at) => {
    const values = [...new Set(DATA.candidates.map((each) => each.parameters[at]))].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
    return values.length > 1 ? choice(name, [["", "all"], ...values.map((each) => [each, each])], "", (value) => { VIEW.filters[at] = value; again(); }) : null;
  });
  const states = [...new Set(DATA.candidates.map((each) => each.status))];
  const front = el("input", { type: "checkbox", onchange: () => { VIEW.front = front.checked; again(); } });
  box.append(
    el("div", { class: "controls" }, selects.filter(Boolean),
      states.length > 1 ? choice("status", [["", "all"], ...states.map((each) => [each, each])], "", (value) => { VIEW.status = value; again(); }) : "",
      el("label", {}, front, " only the Pareto front"), COUNT),
    scrolling("table: candidates", el("table", {}, el("thead", {}, HEAD), BODY)), MORE);
  show_rows();
}

function show_excluded() {
  if (DATA.excluded.length === 0) return;
  const box = section("Not legal, or excluded", "Combinations of the ranges that cannot be chosen, by reason: a rule, what the bound proves, or what simulating found.");
  box.append(table([{ title: "reason", text: (each) => each.reason }, { title: "combinations", number: true, text: (each) => count(each.count) }], DATA.excluded));
}

const OUT = DATA.legal - DATA.ranked - DATA.failed - DATA.not_simulated;
heading(`Search of ${DATA.plan}`, [`${count(DATA.considered)} layout${DATA.considered === 1 ? "" : "s"} considered = ${count(DATA.considered - DATA.legal)} not legal + ${count(DATA.legal)} legal`,
  `${count(DATA.legal)} legal = ${count(DATA.ranked)} ranked + ${count(DATA.failed)} failed + ${count(DATA.not_simulated)} not simulated${DATA.complete && DATA.not_simulated > 0 ? " (by their bounds they cannot win)" : ""} + ${count(OUT)} excluded`,
  `${count(DATA.candidates.filter((each) => each.on_front).length)} on the Pareto front`].join(" · "));
if (DATA.assumptions.length > 0) PAGE.append(el("p", {}, `This assumes: ${DATA.assumptions.join("; ")}.`));
for (const note of DATA.notes) PAGE.append(el("p", {}, `Note: ${note}.`));
if (!DATA.complete) PAGE.append(el("p", { class: "refuted" }, "The search was stopped: this is only what was known by then."));
if (SIMULATED.length > 0 && DATA.columns.length > 0) {
  show_front();
  show_parallel();
} else {
  PAGE.append(el("p", {}, "No candidate was simulated."), CANDIDATE);
}
show_table();
show_excluded();
