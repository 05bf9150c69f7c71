/**
 * The map: nodes as boxes, pods as cells in stable places, drawn on a canvas when
 * something has changed. A pod's state shows by shape and by colour.
 */
import { announce } from "./dom.js";
import { drawPod } from "./glyph.js";
import { cellBox, layOut, placeAt, type Box, type Layout, type NodeBox } from "./layout.js";
import type { Changes, Model, Usage } from "./model.js";
import { Motion } from "./motion.js";
import { readPalette, type Palette } from "./palette.js";
import { podState, type NodeRecord, type PodRecord, type PodState } from "./records.js";
import type { Selection } from "./selection.js";
import { Slots } from "./slots.js";
import { brief } from "./words.js";

/**
 * With more pods than this they appear where they belong, without a way there, and
 * are drawn less often: drawing takes a processor that the engine works on, too.
 */
const crowd = 300;
/** The time between two drawings of a crowd in milliseconds. */
const crowdInterval = 50;
/** Cells below this size are plain squares, drawn state by state; so are very many pods. */
const plain = 7;
const mostShaped = 2000;

const font = (size: number, weight = 400) => `${weight} ${size}px system-ui, sans-serif`;

export class ClusterMap {
  #canvas: HTMLCanvasElement;
  #context: CanvasRenderingContext2D;
  #tooltip: HTMLElement;
  #slots = new Slots();
  #motion = new Motion<PodRecord>();
  #layout: Layout | undefined;
  #palette: Palette;
  #scheduled = false;
  #drawn = 0; // when
  #stale = true; // the layout
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
      this.#request();
    });
    new ResizeObserver(() => this.#invalidate()).observe(holder);
    model.subscribe((changes) => this.#take(changes));
    selection.subscribe(() => this.#request());
    this.#canvas.addEventListener("pointermove", (event) => this.#hover(event));
    this.#canvas.addEventListener("pointerleave", () => (this.#tooltip.hidden = true));
    this.#canvas.addEventListener("click", (event) => this.selection.select(this.#at(event)?.uid));
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #take(changes: Changes): void {
    this.#slots.apply(changes, this.model);
    const now = performance.now();
    for (const record of changes.deleted) if (record.kind === "Pod") this.#motion.end(record.uid, record, now);
    if (changes.all) this.#motion.clear();
    this.#invalidate();
  }

  #invalidate(): void {
    this.#stale = true;
    this.#request();
  }

  #request(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const early = this.#crowded ? crowdInterval - (performance.now() - this.#drawn) : 0;
    const draw = (): number =>
      requestAnimationFrame((now) => {
        this.#scheduled = false;
        this.#drawn = performance.now();
        this.#draw(now);
      });
    if (early > 0) setTimeout(draw, early);
    else draw();
  }

  get #crowded(): boolean {
    return this.model.pods.size > crowd;
  }

  #relayout(): void {
    const { width, height } = this.holder.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    const pixels = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (this.#canvas.width !== pixels.width || this.#canvas.height !== pixels.height) Object.assign(this.#canvas, pixels);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#layout = layOut(width, height, this.model.nodes, (node) => this.#slots.count(node));
    this.#stale = false;
  }

  #draw(now: number): void {
    if (this.#stale) this.#relayout();
    const layout = this.#layout;
    if (!layout || layout.width === 0) return;
    this.#context.clearRect(0, 0, layout.width, layout.height);
    this.#drawSurface(layout);
    for (const box of layout.nodes) this.#drawNode(box, this.model.usage(box.node.name));
    const moving = layout.size.cell < plain || this.model.pods.size > mostShaped ? this.#drawPlain(layout) : this.#drawPods(layout, now);
    this.onDrawn();
    if (moving) this.#request();
  }

  /** The band at the top, where pods wait for a node, ends in waves. */
  #drawSurface({ width, waiting }: Layout): void {
    const c = this.#context;
    const wave = 26;
    const bottom = waiting.height - 5;
    c.beginPath();
    c.moveTo(0, 0);
    c.lineTo(0, bottom);
    for (let x = 0; x < width; x += 2 * wave) {
      c.quadraticCurveTo(x + wave / 2, bottom - 4, x + wave, bottom);
      c.quadraticCurveTo(x + 1.5 * wave, bottom + 4, x + 2 * wave, bottom);
    }
    c.lineTo(width, 0);
    c.closePath();
    c.globalAlpha = 0.6;
    c.fillStyle = this.#palette.surface;
    c.fill();
    c.globalAlpha = 1;
    c.font = font(12);
    c.textBaseline = "middle";
    c.fillStyle = this.#palette.muted;
    c.fillText("Waiting for a node", waiting.x + 2, 23);
  }

  #drawNode(box: NodeBox, used: Usage): void {
    const c = this.#context;
    const p = this.#palette;
    const { node, detail } = box;
    const selected = this.selection.uid === node.uid;
    c.beginPath();
    c.roundRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, Math.min(14, box.width / 8));
    c.fillStyle = p.node;
    c.fill();
    c.lineWidth = selected ? 3 : 1;
    c.strokeStyle = selected ? p.accent : node.ready ? p.nodeLine : p.warning;
    c.setLineDash(node.unschedulable || !node.ready ? [6, 4] : []);
    c.stroke();
    c.setLineDash([]);
    if (detail === 0) return;
    const inset = detail === 2 ? 12 : 6;
    const inner = box.width - 2 * inset;
    const status = node.status.replace(/,/g, ", ");
    const wellKnown = status === "Ready";
    c.textBaseline = "middle";
    c.font = font(detail === 2 ? 13 : 11, 600);
    c.fillStyle = wellKnown || detail === 2 ? p.text : p.warning;
    c.fillText(node.name, box.x + inset, box.y + (detail === 2 ? 18 : 10), inner);
    if (detail < 2) return;
    const free = inner - c.measureText(node.name).width - 8;
    if (!wellKnown || free > 40) {
      c.font = font(11);
      c.fillStyle = wellKnown ? p.muted : p.warning;
      c.textAlign = "right";
      c.fillText(status, box.x + box.width - inset, box.y + 18.5, Math.max(free, 24));
      c.textAlign = "left";
    }
    const half = (inner - 12) / 2;
    this.#drawMeter("CPU", box.x + inset, box.y + 34, half, used.cpu / (node.cpu || 1));
    this.#drawMeter("Memory", box.x + inset + half + 12, box.y + 34, half, used.memory / (node.memory || 1));
  }

  #drawMeter(name: string, x: number, y: number, width: number, part: number): void {
    const c = this.#context;
    c.font = font(10);
    c.fillStyle = this.#palette.muted;
    c.fillText(name, x, y, width);
    if (width > 76) {
      c.textAlign = "right";
      c.fillText(`${Math.round(part * 100)}%`, x + width, y, 30);
      c.textAlign = "left";
    }
    c.fillStyle = this.#palette.line;
    c.beginPath();
    c.roundRect(x, y + 8, width, 4, 2);
    c.fill();
    if (part <= 0) return;
    c.fillStyle = this.#palette.accent;
    c.beginPath();
    c.roundRect(x, y + 8, Math.max(width * Math.min(part, 1), 4), 4, 2);
    c.fill();
  }

  /** Draws the pods on their ways; whether any moves still. */
  #drawPods(layout: Layout, now: number): boolean {
    const calm = this.#calm.matches || this.#crowded;
    if (calm) this.#motion.clear();
    const c = this.#context;
    for (const ghost of calm ? [] : this.#motion.ghosts(now)) {
      c.globalAlpha = ghost.opacity;
      drawPod(c, ghost.what, ghost.box.x, ghost.box.y, ghost.box.width, this.#palette);
      c.globalAlpha = 1;
    }
    for (const pod of this.model.pods.values()) {
      const place = this.#slots.place(pod.uid);
      const to = place && cellBox(layout, place);
      if (!to) continue;
      const box = calm ? to : this.#motion.box(pod.uid, to, now);
      drawPod(c, pod, box.x, box.y, box.width, this.#palette);
      this.#mark(pod.uid, box);
      if (place.node !== "" && layout.size.label > 0) this.#drawLabel(pod, box);
    }
    return !calm && this.#motion.moving(now);
  }

  /** Draws very many pods: one path for each state. */
  #drawPlain(layout: Layout): boolean {
    this.#motion.clear();
    const c = this.#context;
    const paths: Partial<Record<PodState, Path2D>> = {};
    const marked: Box[] = [];
    for (const pod of this.model.pods.values()) {
      const place = this.#slots.place(pod.uid);
      const box = place && cellBox(layout, place);
      if (!box) continue;
      const path = (paths[podState(pod)] ??= new Path2D());
      const failing = podState(pod) === "failing";
      if (failing && box.width > 3) {
        path.moveTo(box.x + box.width / 2, box.y);
        path.lineTo(box.x + box.width, box.y + box.height);
        path.lineTo(box.x, box.y + box.height);
        path.closePath();
      } else path.rect(box.x, box.y, box.width, box.height);
      if (this.selection.uid === pod.uid || this.selection.related.has(pod.uid)) marked.push(box);
    }
    for (const [state, path] of Object.entries(paths) as [PodState, Path2D][]) {
      c.fillStyle = this.#palette.states[state];
      c.fill(path);
    }
    c.strokeStyle = this.#palette.text;
    c.lineWidth = 1;
    for (const box of marked) c.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
    return false;
  }

  #mark(uid: string, box: Box): void {
    const selected = this.selection.uid === uid;
    if (!selected && !this.selection.related.has(uid)) return;
    const c = this.#context;
    const away = box.width > 20 ? 4 : 2;
    c.lineWidth = selected ? 3 : 1.5;
    c.strokeStyle = this.#palette.accent;
    c.beginPath();
    c.roundRect(box.x - away, box.y - away, box.width + 2 * away, box.height + 2 * away, box.width * 0.24 + away);
    c.stroke();
  }

  /** The end of the pod's name, by which its siblings differ. */
  #drawLabel(pod: PodRecord, box: Box): void {
    const c = this.#context;
    c.font = font(10.5);
    c.textAlign = "center";
    c.textBaseline = "top";
    c.fillStyle = this.#palette.muted;
    c.fillText(pod.name.slice(pod.name.lastIndexOf("-") + 1), box.x + box.width / 2, box.y + box.height + 7, box.width + 10);
    c.textAlign = "left";
  }

  /** The object under the pointer. */
  #at(event: MouseEvent): PodRecord | NodeRecord | undefined {
    if (!this.#layout) return undefined;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const { node, place } = placeAt(this.#layout, event.clientX - left, event.clientY - top);
    const uid = place && this.#slots.at(place.node, place.slot);
    return (uid && this.model.pods.get(uid)) || node?.node;
  }

  #hover(event: PointerEvent): void {
    const found = this.#at(event);
    this.#canvas.style.cursor = found ? "pointer" : "default";
    this.#tooltip.hidden = !found;
    if (!found) return;
    this.#tooltip.textContent = `${found.name}\n${brief(found)}`;
    const { left, top, width, height } = this.holder.getBoundingClientRect();
    const x = Math.min(event.clientX - left + 14, width - this.#tooltip.offsetWidth - 6);
    const below = event.clientY - top + 18;
    const y = below + this.#tooltip.offsetHeight > height ? event.clientY - top - this.#tooltip.offsetHeight - 10 : below;
    this.#tooltip.style.transform = `translate(${Math.max(x, 0)}px, ${Math.max(y, 0)}px)`;
  }

  /** Arrow keys move through the waiting pods and the nodes with their pods. */
  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.selection.select(undefined);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const order = [...this.#slots.pods(""), ...this.model.nodes.flatMap((node) => [node.uid, ...this.#slots.pods(node.name)])];
    if (order.length === 0) return;
    const at = this.selection.uid ? order.indexOf(this.selection.uid) : -1;
    const next = at < 0 ? (step > 0 ? 0 : order.length - 1) : (at + step + order.length) % order.length;
    this.selection.select(order[next]);
    const found = this.model.get(order[next] ?? "");
    if (found?.kind === "Pod" || found?.kind === "Node") announce(`${found.kind} ${found.name}: ${brief(found)}`);
  }
}
