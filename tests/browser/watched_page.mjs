// Chromium, what a page in it should not do, and what the tests ask of it.
import assert from "node:assert/strict";
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

export function contrast(one, other) {
  const luminance = (text) => {
    const channels = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16) / 255);
    const linear = channels.map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
