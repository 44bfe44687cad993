// The timeline: one canvas that draws what is in view, from levels of detail made once, so that the cost of a frame is that of its
// pixels and not that of the run.
const kWords = 9;          // 32-bit words of a slice (PackedSlice)
const kTicks = 4e9;        // the makespan
const kAxisHeight = 26;
const kLabelWidth = 92;

// Level 0 are the slices; on level k, those that start in one interval of 4^k / 2^17 of the makespan and are shorter are one.
function levels_of_detail(buffer) {
  const words = new Uint32Array(buffer);
  const floats = new Float32Array(buffer);
  const size = words.length / kWords;
  let level = { width: 0, start: new Float64Array(size), end: new Float64Array(size), operator: new Uint16Array(size),
                busy: new Float64Array(size), size };
  for (let i = 0; i < size; ++i) {
    level.start[i] = words[i * kWords];
    level.end[i] = level.start[i] + words[i * kWords + 1];
    level.operator[i] = words[i * kWords + 2] & 0xffff;
    level.busy[i] = floats[i * kWords + 6] / DATA.slices.tick_s;
  }
  const levels = [level];
  for (let width = kTicks / 2 ** 17; levels[levels.length - 1].size > 64 && width < kTicks / 64; width *= 4) {
    levels.push(coarser(levels[levels.length - 1], width));
  }
  return { levels, words, floats, size };
}

function coarser(fine, width) {
  const start = [], end = [], operator = [], busy = [];
  let longest = 0;
  for (let i = 0; i < fine.size; ++i) {
    const last = start.length - 1;
    const joins = last >= 0 && end[last] - start[last] < width && fine.end[i] - fine.start[i] < width &&
                  Math.floor(start[last] / width) === Math.floor(fine.start[i] / width);
    if (!joins) {
      start.push(fine.start[i]); end.push(fine.end[i]); operator.push(fine.operator[i]); busy.push(fine.busy[i]);
      longest = fine.busy[i];
      continue;
    }
    end[last] = Math.max(end[last], fine.end[i]);
    busy[last] += fine.busy[i];
    if (fine.busy[i] > longest) { longest = fine.busy[i]; operator[last] = fine.operator[i]; }
  }
  return { width, start: Float64Array.from(start), end: Float64Array.from(end), operator: Uint16Array.from(operator),
           busy: Float64Array.from(busy), size: start.length };
}

// The first slice that ends after `time`.
function first_after(level, time) {
  let low = 0, high = level.size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (level.end[middle] > time) high = middle; else low = middle + 1;
  }
  return low;
}

class Timeline {
  constructor(parent, on_select) {
    this.on_select = on_select;
    this.series = DATA.slices.series.map((text) => levels_of_detail(from_base64(text)));
    this.streams = DATA.streams.map((_, stream) => stream)
      .filter((stream) => DATA.shown.some((_, row) => this.track(row, stream).size > 0));
    this.from = 0;
    this.to = kTicks;
    this.split = DATA.shown.length <= 32;
    this.selected = null;
    this.canvas = el("canvas", { tabindex: 0, role: "application", "aria-label": "timeline of every rank" });
    this.spacer = el("div");
    this.box = el("div", { class: "timeline" }, this.canvas, this.spacer);
    this.tip = el("div", { class: "tip" });
    this.split_box = el("input", { type: "checkbox", onchange: () => this.set_split(this.split_box.checked) });
    parent.append(
      el("div", { class: "controls" },
        el("button", { type: "button", onclick: () => this.zoom(0.5) }, "Zoom in"),
        el("button", { type: "button", onclick: () => this.zoom(2) }, "Zoom out"),
        el("button", { type: "button", onclick: () => this.show(0, kTicks) }, "Whole run"),
        el("label", {}, this.split_box, " a lane per stream"),
        el("span", { class: "faint" }, "drag to pan, Ctrl + wheel to zoom, click a slice; keys: A D pan, W S zoom")),
      this.legend(), this.box, this.tip);
    this.listen();
    this.set_split(this.split);
  }

  legend() {
    const kinds = [...new Set(DATA.operators.map((each) => each.kind))];
    return el("div", { class: "legend" },
      kinds.map((kind) => el("span", { style: `--swatch:var(--${kind})` }, kind_text(kind))));
  }

  track(row, stream) { return this.series[DATA.slices.tracks[row * DATA.streams.length + stream]]; }

  set_split(split) {
    this.split = split;
    this.split_box.checked = split;
    const rows = DATA.shown.length;
    const lane = rows <= 32 ? 7 : 4;
    this.row_height = split ? lane * this.streams.length + 4 : Math.max(4, Math.min(22, Math.floor(480 / rows)));
    this.resize();
  }

  resize() {
    const content = this.row_height * DATA.shown.length + kAxisHeight;
    this.height = Math.min(content, 560);
    this.box.style.height = `${this.height + 2}px`;
    this.spacer.style.height = `${content - this.height}px`;
    this.width = this.box.clientWidth;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.request();
  }

  request() {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => { this.requested = false; this.draw(); });
  }

  show(from, to) {
    const span = Math.min(Math.max(to - from, 40), kTicks);
    this.from = Math.min(Math.max(0, from), kTicks - span);
    this.to = this.from + span;
    this.request();
  }

  zoom(factor, x = (kLabelWidth + this.width) / 2) {
    const at = this.time_at(x);
    this.show(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  time_at(x) { return this.from + (x - kLabelWidth) / (this.width - kLabelWidth) * (this.to - this.from); }
  x_at(time) { return kLabelWidth + (time - this.from) / (this.to - this.from) * (this.width - kLabelWidth); }

  draw() {
    const context = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = color("back");
    context.fillRect(0, 0, this.width, this.height);
    const colors = DATA.operators.map((each) => color(each.kind) || color("compute"));
    const top = this.box.scrollTop;
    const first = Math.max(0, Math.floor(top / this.row_height));
    const last = Math.min(DATA.shown.length - 1, Math.floor((top + this.height - kAxisHeight) / this.row_height));
    context.save();
    context.beginPath();
    context.rect(kLabelWidth, kAxisHeight, this.width - kLabelWidth, this.height - kAxisHeight);
    context.clip();
    for (let row = first; row <= last; ++row) this.draw_row(context, row, this.y_of(row), colors);
    context.restore();
    this.draw_labels(context, first, last);
    this.draw_axis(context);
  }

  y_of(row) { return kAxisHeight + row * this.row_height - this.box.scrollTop; }

  // Where a stream's lane lies in its row. In a single lane, compute is drawn over communication.
  lane(stream) {
    const gap = this.row_height > 6 ? 2 : 1;
    if (!this.split) return { top: 0, height: this.row_height - gap };
    const height = (this.row_height - 4) / this.streams.length;
    return { top: this.streams.indexOf(stream) * height + 1, height: height - 1 };
  }

  draw_row(context, row, y, colors) {
    const order = this.split ? this.streams : [...this.streams].reverse();
    for (const stream of order) {
      const { top, height } = this.lane(stream);
      this.draw_track(context, this.track(row, stream), y + top, height, colors);
    }
    if (this.split) {
      context.fillStyle = color("line");
      context.fillRect(kLabelWidth, y + this.row_height - 1, this.width, 1);
    }
    if (!this.selected || this.selected.row !== row) return;
    const { top, height } = this.lane(this.selected.stream);
    const x = this.x_at(this.selected.start);
    context.strokeStyle = color("mark");
    context.lineWidth = 2;
    context.strokeRect(x - 1, y + top - 1, Math.max(2, this.x_at(this.selected.end) - x) + 2, height + 2);
  }

  draw_track(context, track, y, height, colors) {
    const scale = (this.width - kLabelWidth) / (this.to - this.from);
    const pixel = 1 / scale;
    const level = track.levels.reduce((best, each) => each.width <= pixel ? each : best);
    let painted = -1, painted_color = "";
    for (let i = first_after(level, this.from); i < level.size && level.start[i] < this.to; ++i) {
      const x = kLabelWidth + (level.start[i] - this.from) * scale;
      const width = Math.max((level.end[i] - level.start[i]) * scale, 0.7);
      const fill = colors[level.operator[i]];
      if (fill !== painted_color) context.fillStyle = painted_color = fill;
      const length = level.end[i] - level.start[i];
      const cover = length > 0 ? Math.max(0.3, Math.min(1, level.busy[i] / length)) : 1;
      if (cover !== painted) context.globalAlpha = painted = cover;
      context.fillRect(x, y, width > 3 ? width - 0.5 : width, height);
    }
    context.globalAlpha = 1;
  }

  draw_labels(context, first, last) {
    context.fillStyle = color("panel");
    context.fillRect(0, kAxisHeight, kLabelWidth, this.height);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillStyle = color("text");
    const every = Math.max(1, Math.ceil(15 / this.row_height));
    for (let row = first; row <= last; ++row) {
      if (row % every !== 0) continue;
      context.fillText(`rank ${DATA.shown[row]}`, 8, this.y_of(row) + Math.max(this.row_height / 2, 8));
    }
  }

  draw_axis(context) {
    context.fillStyle = color("panel");
    context.fillRect(0, 0, this.width, kAxisHeight);
    const tick = DATA.slices.tick_s;
    const span = (this.to - this.from) * tick;
    const rough = span / Math.max(2, (this.width - kLabelWidth) / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const unit = time_unit(this.to * tick);
    const scale = { s: 1, ms: 1e-3, "µs": 1e-6, ns: 1e-9 }[unit.unit];
    const decimals = Math.max(0, -Math.floor(Math.log10(step / scale) + 1e-9));
    context.fillStyle = color("text");
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillText(`time (${unit.unit})`, 8, kAxisHeight / 2);
    context.textAlign = "center";
    for (let at = Math.ceil(this.from * tick / step); at * step <= this.to * tick * (1 + 1e-12); ++at) {
      const x = this.x_at(at * step / tick);
      context.fillStyle = color("line");
      context.fillRect(Math.round(x), kAxisHeight - 5, 1, 5);
      context.fillStyle = color("text");
      const text = (at * step / scale).toFixed(decimals);
      const half = context.measureText(text).width / 2;
      if (x + half <= this.width && x - half >= kLabelWidth - 14) context.fillText(text, x, kAxisHeight / 2 - 1);
    }
  }

  // The slice under a point of the canvas, or null. Thin slices can be hit from two pixels beside them.
  slice_at(x, y) {
    const row = Math.floor((y - kAxisHeight + this.box.scrollTop) / this.row_height);
    if (x < kLabelWidth || y < kAxisHeight || row < 0 || row >= DATA.shown.length) return null;
    const inside = y - this.y_of(row);
    const near = 2 * (this.to - this.from) / (this.width - kLabelWidth);
    for (const stream of this.streams) {
      const { top, height } = this.lane(stream);
      if (this.split && (inside < top - 1 || inside > top + height)) continue;
      const hit = this.slice_of(this.track(row, stream), this.time_at(x), near);
      if (hit >= 0) return this.describe(row, stream, hit);
    }
    return null;
  }

  slice_of(track, time, near) {
    const level = track.levels[0];
    const i = first_after(level, time - near);
    let best = -1, distance = Infinity;
    for (let at = i; at < level.size && level.start[at] <= time + near; ++at) {
      const away = Math.max(0, level.start[at] - time, time - level.end[at]);
      if (away < distance) { best = at; distance = away; }
      if (away === 0) break;
    }
    return best;
  }

  describe(row, stream, index) {
    const track = this.track(row, stream);
    const at = index * kWords;
    const signed = new Int32Array(track.words.buffer);
    return {
      row, stream, start: track.words[at], end: track.words[at] + track.words[at + 1],
      operator: DATA.operators[track.words[at + 2] & 0xffff], layer: signed[at + 2] >> 16, micro_batch: signed[at + 3],
      step: signed[at + 4], spans: track.words[at + 5], busy_s: track.floats[at + 6], amount: track.floats[at + 7],
      wait_s: track.floats[at + 8],
    };
  }

  select(slice) {
    this.selected = slice;
    if (slice) this.on_select(slice);
    this.request();
  }

  listen() {
    let drag = null;
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      drag = { x: event.clientX, y: event.clientY, from: this.from, to: this.to, top: this.box.scrollTop, moved: false };
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!drag) return this.hover(...place(event), event);
      const x = event.clientX - drag.x, y = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(x, y) < 4) return;
      drag.moved = true;
      const shift = -x / (this.width - kLabelWidth) * (drag.to - drag.from);
      this.box.scrollTop = drag.top - y;
      this.show(drag.from + shift, drag.to + shift);
    });
    this.canvas.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved) this.select(this.slice_at(...place(event)));
      drag = null;
    });
    this.canvas.addEventListener("pointerleave", () => { this.tip.style.display = "none"; });
    this.box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), place(event)[0]);
    }, { passive: false });
    this.box.addEventListener("scroll", () => this.request());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.resize());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.request());
  }

  key(event) {
    const step = (this.to - this.from) / 5;
    const action = {
      w: () => this.zoom(0.7), s: () => this.zoom(1 / 0.7),
      a: () => this.show(this.from - step, this.to - step), d: () => this.show(this.from + step, this.to + step),
    }[event.key.toLowerCase()];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  hover(x, y, event) {
    const slice = this.slice_at(x, y);
    this.tip.style.display = slice ? "block" : "none";
    if (!slice) return;
    this.tip.textContent = `${slice_name(slice)}\n${seconds((slice.end - slice.start) * DATA.slices.tick_s)}, ` +
                           DATA.shown_names[slice.row];
    this.tip.style.left = `${Math.min(event.clientX + 14, innerWidth - 320)}px`;
    this.tip.style.top = `${event.clientY + 16}px`;
  }
}

function slice_name(slice) {
  const name = (slice.layer >= 0 ? `layer ${slice.layer}: ` : "") + slice.operator.name;
  return slice.spans > 1 ? `${count(slice.spans)} spans, the longest ${name}` : name;
}

const kKinds = {
  gemm: "matrix product", expert_gemm: "experts", attention_prefill: "attention, prefill", attention_decode: "attention, decode",
  norm: "norm", elementwise: "element-wise", embedding: "embedding", router: "router", sampling: "sampling",
  tp: "tensor parallel (tp)", ep: "expert parallel (ep)", pp: "pipeline (pp)", dp: "data parallel (dp)",
  edp: "data parallel of experts (edp)",
};
const kind_text = (kind) => kKinds[kind] || kind.replaceAll("_", " ");
