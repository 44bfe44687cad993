// The page of a run.
const RESULT = DATA.result;

function cards() {
  const memory = RESULT.memory;
  const between = (name, times, meaning) => (times ? [[name, seconds(times.mean), meaning]] : []);
  const share = (key) => {
    const word = DATA.gpu_time_words[key];
    const [group, field] = word.field.split(".");
    return [word.name, percent(RESULT[group][field]), `share of makespan x GPUs: ${word.definition}`];
  };
  const all = [
    ["makespan", seconds(RESULT.makespan_s), "from time 0 to the end of the last operator or transfer"],
    ["TTFT mean", seconds(RESULT.ttft_s.mean), "time to first token, from a request's arrival" + (RESULT.serving ? "" : "; all arrive at time 0")],
    ["TTFT max", seconds(RESULT.ttft_s.max), RESULT.serving ? "of the request that waits longest" : "of the last request"],
    ...between("queueing mean", RESULT.queue_s, "from a request's arrival to the start of its batch"),
    ...between("end to end mean", RESULT.e2e_s, "from a request's arrival to its last token"),
    ...between("TPOT mean", RESULT.tpot_s, "time per output token: (last - first token) / (output tokens - 1)"),
    ...between("decode step mean", RESULT.decode_step_s, "of a replica, from the end of a decode step to the end of the next"),
    ["tokens/ms per GPU", digits(RESULT.throughput.tokens_per_ms_per_gpu), "prompt and output tokens / makespan / all GPUs"],
    ["output tokens/s per GPU", digits(RESULT.throughput.output_tokens_per_s_per_gpu), "output tokens alone / makespan / all GPUs"],
    ["MFU", percent(RESULT.utilization.mfu), "FLOPs that the model asks for / (peak FLOP/s x GPUs x makespan)"],
    ["HFU", percent(RESULT.utilization.hfu), "FLOPs executed, padding included / (peak FLOP/s x GPUs x makespan)"],
    ["communication / compute", percent(RESULT.communication.total_over_compute), "time in communication, hidden or not, over time in compute; mean over the ranks that compute"],
    share("network"), share("peer_wait"), share("bubble"), share("no_work"),
    ...(RESULT.utilization.host_fraction === undefined ? [] : [share("host")]),
    ["memory peak", `${bytes(memory.peak_bytes)} of ${bytes(memory.usable_bytes)}`, `rank ${memory.binding_rank}, the fullest; usable are ${bytes(memory.usable_bytes)} of its GPU's ${bytes(memory.capacity_bytes)}`, !memory.fits],
  ];
  number_cards(all);
}

function show_timeline() {
  const all = DATA.shown.length === DATA.ranks;
  const coarse = DATA.slices.resolution_s > 0
    ? ` Spans shorter than ${seconds(DATA.slices.resolution_s)} are merged here; trace.json.gz has each one.` : "";
  const alike = DATA.alike_replicas > 1 ? `${DATA.alike_replicas} replicas are alike: one was simulated, and each is shown as it (--fold off simulates all). ` : "";
  const box = section("Timeline", alike + (all ? "Every rank." : `${DATA.shown.length} of ${DATA.ranks} ranks, evenly spaced.`) + coarse);
  const panel = el("div", { class: "details", id: "slice", "aria-live": "polite" }, "Click a slice for its details.");
  const timeline = new Timeline(box, (slice) => show_slice(panel, slice));
  box.append(panel);
  return timeline;
}

function show_slice(panel, slice) {
  const tick = DATA.slices.tick_s;
  const busy = slice.busy_s;
  const amount = slice.operator.communication
    ? [["sent", bytes(slice.amount)], ["rate while busy", busy > 0 ? bytes(slice.amount / busy) + "/s" : ""]]
    : [["work", flops(slice.amount)], ["rate while busy", busy > 0 && slice.amount > 0 ? flops(slice.amount / busy) + "/s" : ""]];
  details(panel, slice_name(slice), [
    ["rank", DATA.shown_names[slice.row]], ["stream", DATA.streams[slice.stream]],
    ["kind", kind_text(slice.operator.kind)],
    ["pass", slice.micro_batch < 0 ? "" : `${slice.operator.phase}, micro-batch ${slice.micro_batch}` +
             (slice.operator.phase === "decode" ? `, step ${slice.step}` : "")],
    ["start", seconds(slice.start * tick)], ["duration", seconds((slice.end - slice.start) * tick)],
    ["busy", slice.spans > 1 ? seconds(busy) : ""],
    [slice.operator.communication ? "waited for other ranks" : "idle before it", seconds(slice.wait_s)], ...amount,
  ]);
}

function show_time_by_rank(timeline) {
  const box = section("Where the time goes", "By rank. The parts of a bar sum to the makespan.");
  const times = DATA.rank_times;
  const unit = time_unit(DATA.makespan_s);
  const part = (key) => [key, DATA.gpu_time_words[key].name, times[key]];
  const parts = [part("compute"),
    ...Object.entries(times.network).map(([axis, values]) => [axis, `${DATA.gpu_time_words.network.name}, ${axis}`, values]),
    part("peer_wait"), part("bubble"), part("no_work"), part("host")];
  chart(box, 300, () => ({
    type: "bar",
    data: {
      labels: DATA.shown,
      datasets: parts.filter(([, , values]) => values.some((each) => each > 0)).map(([name, label, data]) => ({
        label, data, backgroundColor: color(name), categoryPercentage: DATA.shown.length > 100 ? 1 : 0.85, barPercentage: 1,
      })),
    },
    options: {
      scales: {
        x: { stacked: true, title: titled("rank"), grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 8 } },
        y: { ...axis("time", unit), stacked: true, max: DATA.makespan_s },
      },
      interaction: { mode: "index" },
      onClick: (event, hits) => { if (hits.length) timeline.box.scrollTop = hits[0].index * timeline.row_height; },
      plugins: { tooltip: { callbacks: {
        title: (items) => DATA.shown_names[items[0].dataIndex],
        label: (item) => `${item.dataset.label}: ${seconds(item.raw)} (${percent(item.raw / DATA.makespan_s)})`,
      } } },
    },
  }));
}

function show_time_by_operator() {
  const box = el("section", {}, el("h3", {}, "By operator: seconds per rank, mean over the ranks"));
  PAGE.append(box);
  const names = new Map();
  for (const each of DATA.operators) {
    const row = names.get(each.name) || { name: each.name, prefill: 0, decode: 0 };
    row[each.phase] += each.busy_s / DATA.ranks;
    names.set(each.name, row);
  }
  const rows = [...names.values()].sort((a, b) => b.prefill + b.decode - a.prefill - a.decode).slice(0, 15);
  const unit = time_unit(rows[0].prefill + rows[0].decode);
  chart(box, 90 + 26 * rows.length, () => ({
    type: "bar",
    data: {
      labels: rows.map((row) => row.name),
      datasets: ["prefill", "decode"].map((phase) => ({
        label: phase, data: rows.map((row) => row[phase]), backgroundColor: color(phase),
      })),
    },
    options: {
      indexAxis: "y",
      scales: { x: { ...axis("time per rank", unit), stacked: true }, y: { stacked: true, grid: { display: false }, ticks: { autoSkip: false } } },
      plugins: { tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${seconds(item.raw)}` } } },
    },
  }));
  const sorted = [...DATA.operators].sort((a, b) => b.busy_s - a.busy_s);
  box.append(el("details", {}, el("summary", {}, `All ${sorted.length} operators, by phase`), table([
    { title: "operator", text: (each) => each.name },
    { title: "phase", text: (each) => each.phase },
    { title: "kind", text: (each) => kind_text(each.kind) },
    { title: "time per rank", number: true, text: (each) => seconds(each.busy_s / DATA.ranks) },
    { title: "of the makespan", number: true, text: (each) => percent(each.busy_s / DATA.ranks / DATA.makespan_s) },
    { title: "executions, all ranks", number: true, text: (each) => count(each.spans) },
    { title: "FLOP/s while busy", number: true, text: (each) => each.flops > 0 && each.busy_s > 0 ? flops(each.flops / each.busy_s) + "/s" : "" },
    { title: "bytes/s while busy", number: true, text: (each) => each.bytes > 0 && each.busy_s > 0 ? bytes(each.bytes / each.busy_s) + "/s" : "" },
  ], sorted)));
}

function show_memory() {
  const box = section("Memory over time", "The highest sum within each interval, by category, against the capacity of the fullest rank's GPU, and what the plan may use of it.");
  const memory = DATA.memory;
  const series = memory.series.map((text) => new Float32Array(from_base64(text)));
  const kinds = memory.categories.length;
  const capacity = RESULT.memory.capacity_bytes;
  let row = Math.max(0, DATA.shown.indexOf(RESULT.memory.binding_rank));
  const unit = byte_unit(capacity);
  const points = (category) => {
    const levels = series[memory.ranks[row]];
    const line = [];
    for (let at = 0; at < levels.length / kinds; ++at) {
      line.push({ x: at * memory.width_s, y: levels[at * kinds + category] });
    }
    line.push({ x: DATA.makespan_s, y: line[line.length - 1].y });
    return line;
  };
  const drawn = { update: () => {} };
  box.append(el("div", { class: "controls" }, choice("Rank",
    DATA.shown_names.map((name, at) => [at, name]), row, (value) => { row = Number(value); drawn.update(); })));
  Object.assign(drawn, chart(box, 320, () => ({
    type: "line",
    data: {
      datasets: [
        ...memory.categories.map((name, category) => ({
          label: name.replaceAll("_", " "), data: points(category), stack: "memory", fill: category === 0 ? "origin" : "-1",
          backgroundColor: color(name), borderColor: color(name), borderWidth: 1, pointRadius: 0, stepped: true, pointStyle: "rect",
        })),
        ...[["usable", RESULT.memory.usable_bytes], ["capacity", capacity]].map(([label, level]) => ({
          label, stack: label, order: -1, data: [{ x: 0, y: level }, { x: DATA.makespan_s, y: level }], fill: false,
          borderColor: color("bad"), backgroundColor: color("bad"), borderWidth: label === "usable" ? 2 : 1,
          borderDash: label === "usable" ? [7, 5] : [], pointRadius: 0, pointStyle: "line",
        })),
      ],
    },
    options: {
      scales: {
        x: { ...axis("time", time_unit(DATA.makespan_s)), max: DATA.makespan_s },
        y: { ...axis("memory", unit), stacked: true, min: 0 },
      },
      interaction: { mode: "nearest", axis: "x", intersect: false },
      plugins: { legend: { labels: { usePointStyle: true } }, tooltip: { callbacks: {
        title: (items) => seconds(items[0].parsed.x), label: (item) => `${item.dataset.label}: ${bytes(item.raw.y)}`,
      } } },
    },
  })));
}

function show_communication() {
  const activity = DATA.activity;
  if (activity.axes.length === 0) return;
  const box = section("Communication",
    "What each kind of communication takes, hidden or not, beside compute. An axis is the direction of the layout whose ranks talk.");
  // Per rank: of `values`, which are sums over the ranks in each interval, the mean of a second.
  const mean = (values, scale) => values.map((value, at) => {
    const width = Math.min(activity.width_s, DATA.makespan_s - at * activity.width_s);
    const y = width > 0 ? scale * value / (width * DATA.ranks) : 0;
    return { x: (at + 0.5) * activity.width_s, y: Number(y.toPrecision(6)) };
  });
  const kinds = {
    time: { title: "share of the ranks' time (%)", text: (y) => `${digits(y)} %`,
            lines: [["compute", mean(activity.compute_s, 100)], ...activity.axes.map((each) => [each.axis, mean(each.busy_s, 100)])] },
    rate: { title: "sent per rank (GB/s)", text: (y) => `${digits(y)} GB/s`,
            lines: activity.axes.map((each) => [each.axis, mean(each.bytes, 1e-9)]) },
  };
  let kind = "time";
  const drawn = { update: () => {} };
  box.append(el("div", { class: "controls" },
    choice("Show", [["time", "time"], ["rate", "bytes"]], kind, (value) => { kind = value; drawn.update(); }),
    el("span", { class: "faint" }, "a click on a name in the legend hides its line")));
  Object.assign(drawn, chart(box, 280, () => ({
    type: "line",
    data: { datasets: kinds[kind].lines.map(([name, data]) => ({
      label: name === "compute" ? "compute" : kind_text(name), data, borderColor: color(name), backgroundColor: color(name),
      borderWidth: 1.6, pointRadius: 0,
    })) },
    options: {
      scales: {
        x: { ...axis("time", time_unit(DATA.makespan_s)), max: DATA.makespan_s },
        y: { title: titled(kinds[kind].title), min: 0 },
      },
      interaction: { mode: "index", intersect: false },
      plugins: { tooltip: { callbacks: {
        title: (items) => seconds(items[0].parsed.x), label: (item) => `${item.dataset.label}: ${kinds[kind].text(item.parsed.y)}`,
      } } },
    },
  })));
  const by_axis = RESULT.communication.by_axis;
  box.append(table([
    { title: "axis", text: (each) => kind_text(each.axis) },
    { title: "busy per rank", number: true, text: (each) => seconds(each.busy_s) },
    { title: "of the makespan", number: true, text: (each) => percent(each.busy_s / DATA.makespan_s) },
    { title: "exposed per rank", number: true, text: (each) => seconds(each.exposed_s) },
    { title: "sent per rank", number: true, text: (each) => bytes(each.bytes_per_rank) },
    { title: "rate while busy", number: true, text: (each) => each.busy_s > 0 ? bytes(each.bytes_per_rank / each.busy_s) + "/s" : "" },
  ], by_axis));
}

function show_links() {
  const links = DATA.links.busiest;
  const box = section("Links", "What each link direction carried, as a share of what it could have carried in the whole run; the busiest first. "
    + "Links that every message has for itself (FATPIPE) have no such share, and the networks analytic and simgrid count none.");
  if (links.length === 0) {
    box.append(el("p", {}, "No link that is shared carried anything."));
    return;
  }
  show_links_over_time(box, links.filter((each) => each.over_time));
  const bars = links.slice(0, 20);
  chart(box, 60 + 24 * bars.length, () => ({
    type: "bar",
    data: {
      labels: bars.map((each) => each.name),
      datasets: [{ label: "utilization", data: bars.map((each) => 100 * each.utilization), backgroundColor: color("accent") }],
    },
    options: {
      indexAxis: "y",
      scales: { x: { title: titled("share of the link's bandwidth, mean over the run (%)"), min: 0, ticks: { callback: digits } },
                y: { grid: { display: false }, ticks: { autoSkip: false } } },
      plugins: { legend: { display: false }, tooltip: { callbacks: {
        label: (item) => `${percent(bars[item.dataIndex].utilization)}: ${bytes(bars[item.dataIndex].carried_bytes)}`,
      } } },
    },
  }));
  box.append(el("details", {}, el("summary", {}, links.length < DATA.links.used
    ? `The busiest ${links.length} of ${count(DATA.links.used)} links` : `All ${links.length} links`), table([
    { title: "link", text: (each) => each.name },
    { title: "utilization", number: true, text: (each) => percent(each.utilization) },
    { title: "carried", number: true, text: (each) => bytes(each.carried_bytes) },
    { title: "bandwidth", number: true, text: (each) => bytes(each.bandwidth) + "/s" },
  ], links)));
}

function show_links_over_time(box, links) {
  if (links.length === 0) return;
  const width = DATA.links.width_s;
  const points = (shares) => shares.map((share, at) => ({ x: Math.min((at + 0.5) * width, DATA.makespan_s), y: Number((100 * share).toPrecision(6)) }));
  let chosen = 0;
  const drawn = { update: () => {} };
  box.append(el("div", { class: "controls" },
    choice("Link", links.map((each, at) => [at, each.name]), 0, (value) => { chosen = Number(value); drawn.update(); })));
  Object.assign(drawn, chart(box, 260, () => ({
    type: "line",
    data: { datasets: [["busiest link of each moment", DATA.links.highest, "bad"], ["mean of the links used", DATA.links.mean, "faint"],
                       [links[chosen].name, links[chosen].over_time, "accent"]].map(([label, shares, name]) => ({
      label, data: points(shares), borderColor: color(name), backgroundColor: color(name), borderWidth: 1.6, pointRadius: 0,
    })) },
    options: {
      scales: {
        x: { ...axis("time", time_unit(DATA.makespan_s)), min: 0, max: DATA.makespan_s },
        y: { title: titled("share of the link's bandwidth (%)"), min: 0, ticks: { callback: digits } },
      },
      interaction: { mode: "index", intersect: false },
      plugins: { tooltip: { callbacks: {
        title: (items) => seconds(items[0].parsed.x), label: (item) => `${item.dataset.label}: ${digits(item.parsed.y)} %`,
      } } },
    },
  })));
}

function show_experts() {
  const load = DATA.experts;
  if (!load) return;
  const box = section("Expert load", "Copies of tokens that each expert got, layer by layer, over the layer's mean: 1.0 is perfect balance.");
  const heat = el("div", { class: "heat", style: `grid-template-columns: 70px repeat(${load.experts}, minmax(26px, 1fr))` });
  heat.append(el("span", { class: "faint" }, "layer"), ...Array.from({ length: load.experts }, (_, expert) =>
    el("span", { class: "faint", style: "text-align:center" }, String(expert))));
  load.layers.forEach((layer, row) => {
    const copies = load.copies.slice(row * load.experts, (row + 1) * load.experts);
    const mean = copies.reduce((sum, each) => sum + each, 0) / load.experts;
    heat.append(el("span", {}, String(layer)));
    copies.forEach((each, expert) => {
      const over = mean > 0 ? each / mean : 0;
      const share = Math.round(Math.min(1, over / 2) * 50);
      heat.append(el("span", {
        style: `text-align:center;padding:3px 0;background:color-mix(in srgb, var(--tp) ${share}%, var(--panel))`,
        title: `layer ${layer}, expert ${expert}: ${count(Math.round(each))} copies`,
      }, over.toFixed(2)));
    });
  });
  box.append(heat);
}

heading(DATA.title, [RESULT.model, RESULT.platform, `${RESULT.network} network`, `${count(DATA.ranks)} GPUs`, `seed ${RESULT.seed}`,
                     `rehearse ${RESULT.version}`].filter(Boolean).join(" · "), DATA.about);
cards();
if (RESULT.assumptions?.length > 0) PAGE.append(el("p", {}, `This assumes: ${RESULT.assumptions.join("; ")}.`));
show_limits(DATA.about);
const TIMELINE = show_timeline();
show_time_by_rank(TIMELINE);
show_time_by_operator();
show_memory();
show_communication();
show_links();
show_experts();
