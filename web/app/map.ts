/**
 * The map: nodes as boxes, pods as cells in stable places, drawn on a canvas when
 * something has changed. A pod's state shows by shape and by colour.
 */
import { cellBox, layOut, Slots, type Box, type Layout } from "./layout.js";
import type { Model } from "./model.js";
import { readPalette, type Palette } from "./palette.js";
import { podState, type NodeRecord, type PodRecord, type PodState } from "./records.js";
import type { Selection } from "./selection.js";

const appear = 260; // milliseconds that a new pod takes to grow

export class ClusterMap {
  #canvas: HTMLCanvasElement;
  #context: CanvasRenderingContext2D;
  #tooltip: HTMLElement;
  #slots = new Slots();
  #layout: Layout | undefined;
  #palette: Palette;
  #scheduled = false;
  #stale = true; // the layout
  #born = new Map<string, number>();
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    private readonly holder: HTMLElement,
    private readonly model: Model,
    private readonly selection: Selection,
    private readonly onDrawn: () => void,
  ) {
    this.#canvas = holder.querySelector("canvas") as HTMLCanvasElement;
    this.#tooltip = holder.querySelector(".tooltip") as HTMLElement;
    this.#context = this.#canvas.getContext("2d") as CanvasRenderingContext2D;
    this.#palette = readPalette(holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#palette = readPalette(holder);
      this.#draw();
    });
    new ResizeObserver(() => this.#invalidate()).observe(holder);
    model.subscribe(() => this.#invalidate());
    selection.subscribe(() => this.#request());
    this.#canvas.addEventListener("pointermove", (event) => this.#hover(event));
    this.#canvas.addEventListener("pointerleave", () => (this.#tooltip.hidden = true));
    this.#canvas.addEventListener("click", (event) => this.selection.select(this.#at(event)?.uid));
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #invalidate(): void {
    this.#stale = true;
    this.#request();
  }

  #request(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #relayout(): void {
    const { width, height } = this.holder.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const now = performance.now();
    this.#slots.update(this.model.pods.values());
    for (const uid of this.model.pods.keys()) if (!this.#born.has(uid)) this.#born.set(uid, now);
    for (const uid of this.#born.keys()) if (!this.model.pods.has(uid)) this.#born.delete(uid);
    this.#layout = layOut(width, height, this.model.nodes, this.#slots);
    this.#stale = false;
  }

  #draw(): void {
    if (this.#stale) this.#relayout();
    const layout = this.#layout;
    if (!layout || layout.width === 0) return;
    const c = this.#context;
    c.clearRect(0, 0, layout.width, layout.height);
    const used = this.#usage();
    for (const box of layout.nodes) this.#drawNode(box, box.node, used.get(box.node.name));
    this.#drawWaiting(layout);
    const now = performance.now();
    let moving = false;
    for (const pod of this.model.pods.values()) {
      const place = this.#slots.slot(pod.uid);
      const box = place && cellBox(layout, place);
      if (!box) continue;
      const age = this.#calm.matches ? 1 : Math.min((now - (this.#born.get(pod.uid) ?? 0)) / appear, 1);
      if (age < 1) moving = true;
      this.#drawPod(pod, box, age);
    }
    this.onDrawn();
    if (moving) this.#request();
  }

  /** What the pods on each node request. */
  #usage(): Map<string, { cpu: number; memory: number; pods: number }> {
    const used = new Map<string, { cpu: number; memory: number; pods: number }>();
    for (const pod of this.model.pods.values()) {
      if (!pod.node || pod.phase === "Succeeded" || pod.phase === "Failed") continue;
      const sum = used.get(pod.node) ?? { cpu: 0, memory: 0, pods: 0 };
      sum.cpu += pod.cpu;
      sum.memory += pod.memory;
      sum.pods++;
      used.set(pod.node, sum);
    }
    return used;
  }

  #drawNode(box: Box, node: NodeRecord, used: { cpu: number; memory: number; pods: number } | undefined): void {
    const c = this.#context;
    const p = this.#palette;
    const selected = this.selection.uid === node.uid;
    c.beginPath();
    c.roundRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, Math.min(12, box.width / 8));
    c.fillStyle = p.node;
    c.fill();
    c.lineWidth = selected ? 3 : 1;
    c.strokeStyle = selected ? p.accent : node.ready ? p.nodeLine : p.warning;
    c.setLineDash(node.unschedulable || !node.ready ? [5, 4] : []);
    c.stroke();
    c.setLineDash([]);
    if (box.height <= 36 || box.width <= 56) return;
    c.font = `600 ${box.width > 120 ? 13 : 11}px system-ui, sans-serif`;
    c.textBaseline = "middle";
    c.fillStyle = p.text;
    c.fillText(node.name, box.x + 12, box.y + (box.height > 70 ? 16 : 9), box.width - 24);
    if (box.height <= 70 || box.width <= 130) return;
    c.font = "11px system-ui, sans-serif";
    c.fillStyle = node.ready && !node.unschedulable ? p.muted : p.warning;
    c.textAlign = "right";
    c.fillText(node.status.replace(/,/g, ", "), box.x + box.width - 12, box.y + 16, box.width / 2);
    c.textAlign = "left";
    this.#drawBar(box.x + 12, box.y + 29, (box.width - 36) / 2, (used?.cpu ?? 0) / (node.cpu || 1));
    this.#drawBar(box.x + 24 + (box.width - 36) / 2, box.y + 29, (box.width - 36) / 2, (used?.memory ?? 0) / (node.memory || 1));
  }

  #drawBar(x: number, y: number, width: number, part: number): void {
    const c = this.#context;
    c.fillStyle = this.#palette.bar;
    c.beginPath();
    c.roundRect(x, y, width, 4, 2);
    c.fill();
    if (part <= 0) return;
    c.fillStyle = this.#palette.accent;
    c.beginPath();
    c.roundRect(x, y, Math.max(width * Math.min(part, 1), 4), 4, 2);
    c.fill();
  }

  #drawWaiting(layout: Layout): void {
    const c = this.#context;
    const { x, y, width } = layout.waiting;
    c.strokeStyle = this.#palette.nodeLine;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x, y + 0.5);
    c.lineTo(x + width, y + 0.5);
    c.stroke();
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "middle";
    c.fillStyle = this.#palette.muted;
    c.fillText("No node yet", x, y + 20);
  }

  #drawPod(pod: PodRecord, box: Box, age: number): void {
    const c = this.#context;
    const size = box.width * (0.5 + 0.5 * ease(age));
    const x = box.x + (box.width - size) / 2;
    const y = box.y + (box.height - size) / 2;
    drawGlyph(c, podState(pod), x, y, size, this.#palette);
    if (this.selection.uid === pod.uid || this.selection.related.has(pod.uid)) {
      c.lineWidth = this.selection.uid === pod.uid ? 3 : 2;
      c.strokeStyle = this.#palette.accent;
      c.beginPath();
      c.roundRect(box.x - 3, box.y - 3, box.width + 6, box.height + 6, size * 0.3 + 3);
      c.stroke();
    }
    if (pod.restarts > 0 && size >= 24) {
      c.font = `600 ${Math.round(size / 3)}px system-ui, sans-serif`;
      c.textAlign = "center";
      c.textBaseline = "middle";
      c.fillStyle = this.#palette.surface;
      c.fillText(String(pod.restarts), x + size / 2, y + size / 2 + 1);
      c.textAlign = "left";
    }
  }

  /** The object under the pointer. */
  #at(event: MouseEvent): PodRecord | NodeRecord | undefined {
    const layout = this.#layout;
    if (!layout) return undefined;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const x = event.clientX - left;
    const y = event.clientY - top;
    const inside = (box: Box) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
    const node = layout.nodes.find(inside);
    const name = node?.node.name ?? "";
    for (let slot = 0; slot < this.#slots.count(name); slot++) {
      const box = cellBox(layout, { node: name, slot });
      const uid = this.#slots.at(name, slot);
      if (box && uid && inside(box)) return this.model.pods.get(uid);
    }
    return node?.node;
  }

  #hover(event: PointerEvent): void {
    const found = this.#at(event);
    this.#canvas.style.cursor = found ? "pointer" : "default";
    this.#tooltip.hidden = !found;
    if (!found) return;
    this.#tooltip.textContent = found.kind === "Pod" ? `${found.name}\n${found.status} · ${found.ready}/${found.containers} ready` : `${found.name}\n${found.status}`;
    const { left, top, width } = this.holder.getBoundingClientRect();
    const x = Math.min(event.clientX - left + 12, width - this.#tooltip.offsetWidth - 8);
    this.#tooltip.style.transform = `translate(${Math.max(x, 0)}px, ${event.clientY - top + 16}px)`;
  }

  /** Arrow keys move through nodes and their pods. */
  #key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.selection.select(undefined);
    if (!step) return;
    event.preventDefault();
    const order = this.model.nodes.flatMap((node) => [node.uid, ...this.#podsOn(node.name)]).concat(this.#podsOn(""));
    if (order.length === 0) return;
    const at = this.selection.uid ? order.indexOf(this.selection.uid) : -1;
    const next = at < 0 ? (step > 0 ? 0 : order.length - 1) : (at + step + order.length) % order.length;
    this.selection.select(order[next]);
  }

  #podsOn(node: string): string[] {
    const uids: string[] = [];
    for (let slot = 0; slot < this.#slots.count(node); slot++) {
      const uid = this.#slots.at(node, slot);
      if (uid) uids.push(uid);
    }
    return uids;
  }
}

function ease(t: number): number {
  return 1 - (1 - t) ** 3;
}

/** Draws a pod's state: each has a shape of its own, so that colour is not needed. */
export function drawGlyph(c: CanvasRenderingContext2D, state: PodState, x: number, y: number, size: number, palette: Palette): void {
  const color = palette.states[state];
  c.fillStyle = color;
  c.strokeStyle = color;
  const line = Math.max(size / 10, 1);
  c.lineWidth = line;
  c.beginPath();
  switch (state) {
    case "pending": // an empty, dashed circle
      c.setLineDash(size > 10 ? [size / 6, size / 8] : []);
      c.arc(x + size / 2, y + size / 2, size / 2 - line, 0, 2 * Math.PI);
      c.stroke();
      c.setLineDash([]);
      return;
    case "starting": // a square, half full
      c.roundRect(x + line / 2, y + line / 2, size - line, size - line, size * 0.24);
      c.stroke();
      c.beginPath();
      c.roundRect(x + line / 2, y + size / 2, size - line, size / 2 - line / 2, [0, 0, size * 0.22, size * 0.22]);
      c.fill();
      return;
    case "ready": // a full square
      c.roundRect(x, y, size, size, size * 0.24);
      c.fill();
      return;
    case "failing": // a triangle
      c.moveTo(x + size / 2, y);
      c.lineTo(x + size, y + size);
      c.lineTo(x, y + size);
      c.closePath();
      c.fill();
      return;
    case "ending": // a small square that is crossed out
      c.globalAlpha = 0.8;
      c.roundRect(x + size * 0.14, y + size * 0.14, size * 0.72, size * 0.72, size * 0.2);
      c.stroke();
      c.moveTo(x + size * 0.3, y + size * 0.7);
      c.lineTo(x + size * 0.7, y + size * 0.3);
      c.stroke();
      c.globalAlpha = 1;
      return;
  }
}
