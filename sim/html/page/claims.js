// The page of a check.
const kVerdicts = [["holds", "good"], ["not modelled", "none"], ["refuted", "bad"], ["inconsistent", "odd"]];
const FILTER = { verdict: "", reading: "", platform: "", alternative: "", text: "" };

function values_of(field) { return [...new Set(DATA.claims.map((claim) => claim[field]))].filter((each) => each !== ""); }

function show_totals() {
  const box = section("Verdicts by reading", "");
  const readings = [...values_of("reading"), ...(DATA.claims.some((each) => each.reading === "") ? [""] : [])];
  chart(box, 90 + 34 * readings.length, () => ({
    type: "bar",
    data: {
      labels: readings.map((each) => each || "the document alone"),
      datasets: kVerdicts.map(([verdict, name]) => ({
        label: verdict, backgroundColor: color(name),
        data: readings.map((reading) => DATA.claims.filter((each) => each.reading === reading && each.verdict === verdict).length),
      })).filter((each) => each.data.some((many) => many > 0)),
    },
    options: {
      indexAxis: "y",
      scales: { x: { stacked: true, title: titled("judgements"), ticks: { precision: 0 } }, y: { stacked: true, grid: { display: false } } },
      onClick: (event, hits, made) => {
        if (!hits.length) return;
        FILTER.verdict = made.data.datasets[hits[0].datasetIndex].label;
        FILTER.reading = readings[hits[0].index];
        show_controls();
        show_rows();
      },
    },
  }));
}

const CONTROLS = el("div", { class: "controls" });
const BODY = el("tbody");
const COUNT = el("span", { class: "faint", "aria-live": "polite" });
const CLAIM = el("div", { class: "details", id: "claim", "aria-live": "polite" }, "Click a row for what is behind its verdict.");

function show_controls() {
  const set = (field) => (value) => { FILTER[field] = value; show_rows(); };
  const options = (field) => [["", "all"], ...values_of(field).map((each) => [each, each])];
  const text = el("input", { type: "search", placeholder: "id, words, reason", value: FILTER.text, "aria-label": "Filter by text" });
  text.addEventListener("input", () => set("text")(text.value));
  const selects = ["verdict", "reading", "platform", "alternative"].filter((field) => values_of(field).length > 1 || FILTER[field])
    .map((field) => choice(field[0].toUpperCase() + field.slice(1), options(field), FILTER[field], set(field)));
  CONTROLS.replaceChildren(...selects, text, COUNT);
}

function passes(claim) {
  const words = FILTER.text.toLowerCase();
  return ["verdict", "reading", "platform", "alternative"].every((field) => FILTER[field] === "" || claim[field] === FILTER[field]) &&
         (words === "" || [claim.id, claim.quote, claim.reason, claim.expect].some((each) => each.toLowerCase().includes(words)));
}

function show_rows() {
  const rows = DATA.claims.filter(passes);
  COUNT.textContent = `${rows.length} of ${DATA.claims.length}`;
  BODY.replaceChildren(...rows.map((claim) => el("tr", { class: "choice", tabindex: 0,
      onclick: (event) => show_claim(claim, event.currentTarget),
      onkeydown: (event) => { if (event.key === "Enter") show_claim(claim, event.currentTarget); } },
    el("td", { class: "number" }, claim.line > 0 ? String(claim.line) : ""), el("td", {}, claim.id),
    el("td", {}, claim.quote),
    el("td", {}, el("span", { class: claim.verdict.replaceAll(" ", "-") }, claim.verdict), claim.change ? ` (${claim.change})` : ""),
    el("td", {}, scenario_of(claim)), el("td", {}, claim.reason))));
}

function scenario_of(claim) {
  return [claim.reading, claim.platform, claim.alternative && `with ${claim.alternative}`].filter(Boolean).join(", ");
}

function show_claim(claim, row) {
  for (const each of BODY.querySelectorAll(".chosen")) each.classList.remove("chosen");
  row.classList.add("chosen");
  details(CLAIM, `${claim.id}: ${claim.verdict}`, [
    ["the document says", claim.line > 0 ? `line ${claim.line}: “${claim.quote}”` : claim.quote], ["compared", claim.expect],
    ["in", scenario_of(claim)], ["reason", claim.reason], ["note", claim.note], ["against the record", claim.change],
    ["counts as a failure", claim.fails ? "yes" : "no"],
  ], ...claim.because.map((line) => el("div", {}, el("code", {}, line))));
}

heading(`Claims of ${DATA.plan}`, [DATA.document && `document ${DATA.document}`, `${DATA.claims.length} judgements`].filter(Boolean).join(" · "));
show_totals();
{
  const box = section("Judgements", "");
  show_controls();
  const head = ["line", "claim", "the document's words", "verdict", "reading, platform", "reason"];
  box.append(CONTROLS, scrolling("table: claims", el("table", {},
    el("thead", {}, el("tr", {}, head.map((title, at) => el("th", { scope: "col", class: at === 0 ? "number" : null }, title)))), BODY)), CLAIM);
  show_rows();
}
if (DATA.assumptions.length > 0) PAGE.append(el("p", {}, `This assumes: ${DATA.assumptions.join("; ")}.`));
if (DATA.missing.length > 0) {
  const box = section("No longer judged", "Judgements of the record that this check does not make.");
  box.append(el("ul", {}, DATA.missing.map((each) => el("li", {}, each))));
}
