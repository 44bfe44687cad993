// The page of a service.
const RESULT = DATA.result;
const SERVING = RESULT.serving;

function cards() {
  const all = [];
  const add = (name, value, meaning, bad) => all.push([name, value, meaning, bad]);
  const times = [["TTFT", RESULT.ttft_s, "time to first token, from a request's arrival"],
                 ["TPOT", RESULT.tpot_s, "time per output token: (last - first token) / (output tokens - 1)"],
                 ["ITL", RESULT.itl_s, "from each token to the next of its request, of all requests together"],
                 ["end to end", RESULT.e2e_s, "from a request's arrival to its last token"],
                 ["queueing", RESULT.queue_s, "from a request's arrival to the start of the first step that it is in"]];
  for (const [name, of, meaning] of times) {
    if (of) add(`${name} p50 · p99`, `${seconds(of.p50)} · ${seconds(of.p99)}`, meaning);
  }
  add("requests served", `${count(SERVING.completed)} of ${count(SERVING.requests)}`,
      "that arrive after the warm-up; the others are longer than the engine takes", SERVING.refused > 0);
  const window = `over ${seconds(SERVING.window_s)}: ${SERVING.window}`;
  if (SERVING.offered_rate !== undefined) add("offered", `${digits(SERVING.offered_rate)} requests/s`, window);
  add("completed", `${digits(SERVING.request_rate)} requests/s`, window);
  add("output tokens/s per GPU", digits(SERVING.output_tokens_per_s_per_gpu), window);
  add("tokens/s per GPU", digits(SERVING.tokens_per_s_per_gpu), `prompt and output tokens, ${window}`);
  if (SERVING.tokens_per_s_per_user !== undefined) add("tokens/s to a user", digits(SERVING.tokens_per_s_per_user), "1 / mean TPOT");
  if (SERVING.steady !== undefined) {
    add("backlog", SERVING.steady ? "steady" : `grows by ${digits(SERVING.backlog_growth_per_s)}/s`,
        "of the requests in the system (of sessions, of the open ones), over the second half of the window", !SERVING.steady);
  }
  if (SERVING.slo_met !== undefined) {
    add("goodput", `${digits(SERVING.goodput_requests_per_s)} requests/s`, "completed in the window and within all thresholds");
    add("objective", `${SERVING.slo_met ? "met" : "missed"}: ${percent(SERVING.slo_attainment)}`,
        `requests within all thresholds; ${SERVING.slo.map((each) => `${each.quantity} ${seconds(each.value_s)} against ${seconds(each.objective_s)}`).join(", ")}`,
        !SERVING.slo_met);
  }
  if (SERVING.kv_peak_fraction !== undefined) add("KV cache peak", percent(SERVING.kv_peak_fraction), "blocks in use on the fullest replica");
  add("requests in a step", digits(SERVING.mean_batch), "mean over an engine's steps");
  if (SERVING.preemptions !== undefined) add("preemptions", count(SERVING.preemptions), "how often a request lost its keys and values and began again");
  if (SERVING.prefix_hit_fraction !== undefined) add("from the cache", percent(SERVING.prefix_hit_fraction), "of the prompt tokens");
  number_cards(all);
}

function over_time(box, height, title, lines, text) {
  const width = DATA.over_time.width_s;
  const points = (values) => values.map((y, at) => ({ x: (at + 0.5) * width, y: Number(y.toPrecision(6)) }));
  chart(box, height, () => ({
    type: "line",
    data: { datasets: lines.map(([label, values, name]) => ({
      label, data: points(values), borderColor: color(name), backgroundColor: color(name), borderWidth: 1.6, pointRadius: 0,
    })) },
    options: {
      scales: {
        x: { ...axis("time", time_unit(DATA.end_s)), min: 0, max: DATA.end_s },
        y: { title: titled(title), min: 0, ticks: { callback: digits } },
      },
      interaction: { mode: "index", intersect: false },
      plugins: { tooltip: { callbacks: {
        title: (items) => seconds(items[0].parsed.x), label: (item) => `${item.dataset.label}: ${text(item.parsed.y)}`,
      } } },
    },
  }));
}

function show_over_time() {
  const warm_up = DATA.warm_up_s > 0 ? ` The first ${seconds(DATA.warm_up_s)} are the warm-up.` : "";
  const box = section("Over time", `Means of ${DATA.over_time.waiting.length} intervals, all replicas together.${warm_up}`);
  over_time(box, 260, "requests", [["waiting", DATA.over_time.waiting, "bad"], ["running", DATA.over_time.running, "accent"]], digits);
  over_time(box, 220, "output tokens/s", [["output tokens/s", DATA.over_time.output_tokens_per_s, "good"]], (y) => `${digits(y)}/s`);
}

function show_curve(name, values, line) {
  if (values.length === 0) return;
  const box = el("section", {}, el("h3", {}, name));
  PAGE.append(box);
  const objective = (SERVING.slo || []).find((each) => each.quantity === name);
  const largest = Math.max(values[values.length - 1], objective ? objective.objective_s : 0);
  chart(box, 220, () => ({
    type: "line",
    data: { datasets: [
      { label: "share of requests at most as slow", borderColor: color(line), backgroundColor: color(line), borderWidth: 2, pointRadius: 0,
        data: values.map((x, at) => ({ x, y: 100 * at / (values.length - 1) })) },
      ...(objective ? [{ label: "objective", borderColor: color("bad"), backgroundColor: color("bad"), borderWidth: 1.6, borderDash: [7, 5],
                         pointRadius: 0, data: [{ x: objective.objective_s, y: 0 }, { x: objective.objective_s, y: 100 }] }] : []),
    ] },
    options: {
      scales: {
        x: { ...axis(name, time_unit(largest)), min: 0 },
        y: { title: titled("requests (%)"), min: 0, max: 100 },
      },
      interaction: { mode: "nearest", axis: "y", intersect: false },
      plugins: { tooltip: { callbacks: {
        title: () => "", label: (item) => `${digits(item.parsed.y)} % within ${seconds(item.parsed.x)}`,
      } } },
    },
  }));
}

// A request's parts, in its own time.
function parts_of(each) {
  return [["queueing", each.queue_s, "bad"], ["prefill", each.ttft_s - each.queue_s, "prefill"],
          ["decoding", each.e2e_s - each.ttft_s, "decode"]];
}

function show_slowest() {
  const box = section("The slowest requests", `Of the ${count(DATA.measured)} measured. Click one for its life.`);
  const kinds = { ttft_s: "TTFT", tpot_s: "TPOT", e2e_s: "end to end" };
  const panel = el("div", { class: "details", id: "request", "aria-live": "polite" });
  const life = el("div", { class: "details" });
  const body = el("tbody");
  let by = "ttft_s";
  let chosen = null;
  let drawn = null;
  const show = (each) => {
    chosen = each;
    const [queue, prefill, decode] = parts_of(each);
    details(panel, `Request ${each.id}`, [
      ["arrival", seconds(each.arrival_s)], ["replica", String(each.replica)],
      ["prompt", `${count(each.prompt_tokens)} tokens, ${count(each.cached_tokens)} of them from the cache`],
      ["output", `${count(each.output_tokens)} tokens`], ["preemptions", count(each.preemptions)],
      ["queueing", seconds(queue[1])], ["prefill", seconds(prefill[1])], ["first token", `${seconds(each.ttft_s)} after its arrival`],
      ["decoding", seconds(decode[1])], ["TPOT", each.output_tokens > 1 ? seconds(each.tpot_s) : ""],
      ["last token", `${seconds(each.e2e_s)} after its arrival`],
    ]);
    for (const row of body.children) row.classList.toggle("chosen", row.dataset.id === String(each.id));
    if (drawn) drawn.update();
  };
  const rows = () => {
    const sorted = [...DATA.slowest].sort((a, b) => b[by] - a[by] || a.id - b.id).slice(0, 50);
    body.replaceChildren(...sorted.map((each) => el("tr", { class: "choice", tabindex: 0, "data-id": String(each.id),
        onclick: () => show(each), onkeydown: (event) => { if (event.key === "Enter") show(each); } },
      [String(each.id), seconds(each.arrival_s), count(each.prompt_tokens), count(each.output_tokens), count(each.cached_tokens),
       seconds(each.queue_s), seconds(each.ttft_s), each.output_tokens > 1 ? seconds(each.tpot_s) : "", seconds(each.e2e_s),
       count(each.preemptions), String(each.replica)].map((text) => el("td", { class: "number" }, text)))));
    show(sorted[0]);
  };
  const head = ["request", "arrival", "prompt tokens", "output tokens", "cached", "queueing", "TTFT", "TPOT", "end to end", "preemptions", "replica"];
  box.append(el("div", { class: "controls" }, choice("Slowest by", Object.entries(kinds), by, (value) => { by = value; rows(); })),
             panel, life,
             scrolling("table: slowest requests", el("table", {},
               el("thead", {}, el("tr", {}, head.map((title) => el("th", { scope: "col", class: "number" }, title)))), body)));
  rows();
  drawn = chart(life, 110, () => ({
    type: "bar",
    data: { labels: [`request ${chosen.id}`], datasets: parts_of(chosen).map(([label, value, name]) => ({
      label, data: [value], backgroundColor: color(name) })) },
    options: {
      indexAxis: "y",
      scales: { x: { ...axis("since its arrival", time_unit(chosen.e2e_s)), stacked: true, max: chosen.e2e_s },
                y: { stacked: true, grid: { display: false } } },
      plugins: { tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${seconds(item.raw)}` } } },
    },
  }));
}

heading(DATA.title, [RESULT.model, RESULT.platform, RESULT.engine, `${count(RESULT.gpus)} GPUs`, `seed ${RESULT.seed}`,
                     `rehearse ${RESULT.version}`].filter(Boolean).join(" · "), DATA.about);
cards();
if (RESULT.assumptions?.length > 0) PAGE.append(el("p", {}, `This assumes: ${RESULT.assumptions.join("; ")}.`));
show_limits(DATA.about);
show_over_time();
section("Latency", "The share of the measured requests that are at most as slow.");
show_curve("TTFT", DATA.curves.TTFT, "prefill");
show_curve("TPOT", DATA.curves.TPOT, "decode");
show_slowest();
