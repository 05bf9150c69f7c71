/** How a pod looks on the map: each state has a shape of its own, so that colour is not needed. */
import type { Palette } from "./palette.js";
import { podState, type PodRecord, type PodState } from "./records.js";

type Context = CanvasRenderingContext2D;

/** From this size on a pod shows its containers and restarts. */
const detailed = 40;

export function drawPod(c: Context, pod: PodRecord, x: number, y: number, size: number, palette: Palette): void {
  const state = podState(pod);
  drawGlyph(c, state, x, y, size, palette.states[state]);
  if (size < detailed) return;
  if (state === "ready" || state === "starting") drawContainers(c, pod, x, y, size, state === "ready" ? palette.surface : palette.states[state]);
  if (pod.restarts > 0) drawRestarts(c, pod.restarts, x + size, y, palette);
}

export function drawGlyph(c: Context, state: PodState, x: number, y: number, size: number, color: string): void {
  c.fillStyle = color;
  c.strokeStyle = color;
  const line = Math.max(size / 11, 1);
  const middle = { x: x + size / 2, y: y + size / 2 };
  c.lineWidth = line;
  c.beginPath();
  switch (state) {
    case "pending": // an empty, dashed circle
      c.setLineDash(size > 10 ? [size / 5, size / 8] : []);
      c.arc(middle.x, middle.y, (size - line) / 2, 0, 2 * Math.PI);
      c.stroke();
      c.setLineDash([]);
      return;
    case "starting": // a square that fills from below
      c.roundRect(x + line / 2, y + line / 2, size - line, size - line, size * 0.24);
      c.stroke();
      c.beginPath();
      c.roundRect(x + line / 2, y + size * 0.6, size - line, size * 0.4 - line / 2, [0, 0, size * 0.22, size * 0.22]);
      c.fill();
      return;
    case "ready": // a full square
      c.roundRect(x, y, size, size, size * 0.24);
      c.fill();
      return;
    case "failing": // a triangle
      c.lineJoin = "round";
      c.moveTo(middle.x, y + line);
      c.lineTo(x + size - line, y + size - line);
      c.lineTo(x + line, y + size - line);
      c.closePath();
      c.fill();
      c.stroke();
      return;
    case "ending": // a smaller square, crossed out
      c.roundRect(x + size * 0.12, y + size * 0.12, size * 0.76, size * 0.76, size * 0.2);
      c.moveTo(x + size * 0.32, y + size * 0.68);
      c.lineTo(x + size * 0.68, y + size * 0.32);
      c.stroke();
      return;
  }
}

/** One dot per container, full once it is ready. */
function drawContainers(c: Context, pod: PodRecord, x: number, y: number, size: number, color: string): void {
  const shown = Math.min(pod.containers, 4);
  const radius = size / 12;
  const step = radius * 3;
  c.fillStyle = color;
  c.strokeStyle = color;
  c.lineWidth = 1.5;
  for (let i = 0; i < shown; i++) {
    c.beginPath();
    c.arc(x + size / 2 + (i - (shown - 1) / 2) * step, y + size * 0.36, radius, 0, 2 * Math.PI);
    if (i < pod.ready) c.fill();
    else c.stroke();
  }
}

function drawRestarts(c: Context, restarts: number, right: number, top: number, palette: Palette): void {
  const text = restarts > 99 ? "99+" : String(restarts);
  c.font = "600 10px system-ui, sans-serif";
  const width = Math.max(c.measureText(text).width + 8, 16);
  c.fillStyle = palette.surface;
  c.strokeStyle = palette.warning;
  c.lineWidth = 1.5;
  c.beginPath();
  c.roundRect(right - width + 5, top - 5, width, 16, 8);
  c.fill();
  c.stroke();
  c.fillStyle = palette.warning;
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.fillText(text, right + 5 - width / 2, top + 3.5);
  c.textAlign = "left";
}
