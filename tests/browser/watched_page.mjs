// Chromium, what a page in it should not do, and what the tests ask of it.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid() !== 0,  // Chromium refuses its sandbox to root
    args: ["--disable-gpu", "--disable-quic"],
  });
}

// What the page should not do, as it happens: say something on the console, throw, load anything but itself.
export function watch(page) {
  const problems = [];
  const is_itself = (request) => request.isNavigationRequest() && request.frame() === page.mainFrame() &&
                                 request.url().startsWith("file:");
  page.on("console", (message) => {
    // The advice that the tests' own reading of pixels provokes.
    if (!message.text().includes("willReadFrequently")) problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`not caught: ${error.message}`));
  page.on("request", (request) => { if (!is_itself(request)) problems.push(`loads ${request.url()}`); });
  for (const event of ["websocket", "worker", "popup", "download", "crash"]) page.on(event, () => problems.push(event));
  return problems;
}

export async function expect_quiet(page, problems) {
  const resources = await page.evaluate(() => performance.getEntriesByType("resource").map((each) => each.name));
  const title = await page.title();
  assert.deepEqual(problems.splice(0), []);
  assert.deepEqual(resources, []);
  assert.notEqual(title, "owned");
}

// What was asked of the page before is on the screen.
export function settle(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

export async function open(page, url, scheme) {
  await page.mouse.move(0, 0);  // nothing shows as hovered over
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(url);
  await settle(page);
}

// x and y: CSS pixels from the element's upper left corner.
export async function click_at(page, element, x, y) {
  await element.click({ position: { x, y } });
  await settle(page);
}

export function button(page, start) {
  return page.getByRole("button", { name: new RegExp(`^${start}`) });
}

export function expect_includes(text, ...all_words) {
  for (const words of all_words) assert.ok(text.includes(words), `no "${words}" in: ${text}`);
}

export function expect_near(value, expected, most) {
  assert.ok(Math.abs(value - expected) <= most, `${value} is not within ${most} of ${expected}`);
}

// Each canvas shows more than its background and its axes: many pixels in one of the colors of data.
export async function expect_drawn(page) {
  const drawn = await page.evaluate(() => [...document.querySelectorAll("canvas")].map((canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let colored = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]];
      if (pixels[at + 3] > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 60) ++colored;
    }
    return colored;
  }));
  assert.ok(drawn.length > 0, "no canvas");
  assert.ok(drawn.every((colored) => colored > 300), `colored pixels by canvas: ${drawn}`);
}

// What axe-core calls serious or critical, as "rule: what it means (elements)".
export async function findings(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    // preload fetches style sheets, and the page is one file.
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"], preload: false });
    return violations.filter((each) => ["serious", "critical"].includes(each.impact))
        .map((each) => `${each.id}: ${each.help} (${each.nodes.map((node) => node.target.join(" ")).slice(0, 4).join("; ")})`);
  });
}

// What the keyboard reaches from the top of the page, one Tab after the other: of each what it is, and whether one sees that it has the
// focus. At most `most`.
export async function tab_stops(page, most) {
  await page.evaluate(() => { document.activeElement.blur(); globalThis.scrollTo(0, 0); });
  const stops = [];
  for (let at = 0; at < most; ++at) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const each = document.activeElement;
      if (each === null || each === document.body) return null;
      const shown = getComputedStyle(each);
      const seen = (shown.outlineStyle !== "none" && parseFloat(shown.outlineWidth) > 0) || shown.boxShadow !== "none";
      const again = each.dataset.reached === "yes";
      each.dataset.reached = "yes";
      return { again, seen, name: `${each.tagName.toLowerCase()} ${(each.getAttribute("aria-label") ?? each.innerText ?? "").slice(0, 40)}` };
    });
    if (stop === null || stop.again) break;
    stops.push(stop);
  }
  return stops;
}

export function contrast(one, other) {
  const luminance = (text) => {
    const channels = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16) / 255);
    const linear = channels.map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
