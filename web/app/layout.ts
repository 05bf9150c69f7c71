/**
 * Where nodes and pods lie on the map. Places are stable: a pod keeps its slot on
 * its node until it is gone, and a new one takes the first that is free.
 */
import type { NodeRecord, PodRecord } from "./records.js";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface NodeBox extends Box {
  node: NodeRecord;
  /** Where its pods' cells begin. */
  cells: { x: number; y: number; columns: number };
}

export interface Layout {
  width: number;
  height: number;
  cell: number;
  gap: number;
  nodes: NodeBox[];
  byName: Map<string, NodeBox>;
  /** Where pods without a node wait. */
  waiting: Box & { columns: number };
}

/** Slots of the pods on each node; "" is the waiting area. */
export class Slots {
  #places = new Map<string, { node: string; slot: number }>();
  #taken = new Map<string, (string | undefined)[]>();

  /** Takes over the pods that there are. */
  update(pods: Iterable<PodRecord>): void {
    const seen = new Set<string>();
    for (const pod of pods) {
      seen.add(pod.uid);
      const node = pod.node ?? "";
      const place = this.#places.get(pod.uid);
      if (place?.node === node) continue;
      this.#free(pod.uid);
      const taken = this.#of(node);
      let slot = taken.indexOf(undefined);
      if (slot < 0) slot = taken.length;
      taken[slot] = pod.uid;
      this.#places.set(pod.uid, { node, slot });
    }
    for (const uid of [...this.#places.keys()]) if (!seen.has(uid)) this.#free(uid);
  }

  slot(uid: string): { node: string; slot: number } | undefined {
    return this.#places.get(uid);
  }

  /** How many slots a node shows. */
  count(node: string): number {
    return this.#taken.get(node)?.length ?? 0;
  }

  at(node: string, slot: number): string | undefined {
    return this.#taken.get(node)?.[slot];
  }

  #of(node: string): (string | undefined)[] {
    let taken = this.#taken.get(node);
    if (!taken) this.#taken.set(node, (taken = []));
    return taken;
  }

  #free(uid: string): void {
    const place = this.#places.get(uid);
    if (!place) return;
    this.#places.delete(uid);
    const taken = this.#of(place.node);
    taken[place.slot] = undefined;
    while (taken.length > 0 && taken[taken.length - 1] === undefined) taken.pop();
  }
}

const margin = 16;
const waitingHeight = 64;
const head = 44; // a node's name and its bars
const cellSizes = [44, 32, 24, 18, 14, 11, 8, 6, 4, 3];

/** Lays out the nodes in a grid that fills the area, with cells as large as fit. */
export function layOut(width: number, height: number, nodes: NodeRecord[], slots: Slots): Layout {
  const count = Math.max(nodes.length, 1);
  const usable = { width: width - 2 * margin, height: height - 2 * margin - waitingHeight };
  const columns = bestColumns(count, usable.width, usable.height);
  const rows = Math.ceil(count / columns);
  const between = count > 60 ? 4 : count > 12 ? 8 : 14;
  const box = {
    width: Math.max((usable.width - between * (columns - 1)) / columns, 8),
    height: Math.max((usable.height - between * (rows - 1)) / rows, 8),
  };
  const title = box.height > 70 && box.width > 70 ? head : box.height > 36 && box.width > 56 ? 16 : 4;
  const padding = box.width > 70 ? 10 : 2;
  const most = Math.max(...nodes.map((node) => slots.count(node.name)), 1);
  const cell = largestCell(box.width - 2 * padding, box.height - title - padding, most);
  const gap = cell >= 18 ? 6 : cell >= 8 ? 2 : 1;
  const layout: Layout = {
    width,
    height,
    cell,
    gap,
    nodes: [],
    byName: new Map(),
    waiting: {
      x: margin,
      y: height - margin - waitingHeight + 16,
      width: usable.width,
      height: waitingHeight - 16,
      columns: Math.max(Math.floor((usable.width - 90) / (Math.min(cell, 24) + gap)), 1),
    },
  };
  nodes.forEach((node, i) => {
    const x = margin + (i % columns) * (box.width + between);
    const y = margin + Math.floor(i / columns) * (box.height + between);
    const inner = Math.max(Math.floor((box.width - 2 * padding + gap) / (cell + gap)), 1);
    const nodeBox: NodeBox = { node, x, y, ...box, cells: { x: x + padding, y: y + title, columns: inner } };
    layout.nodes.push(nodeBox);
    layout.byName.set(node.name, nodeBox);
  });
  return layout;
}

/** The box of a pod's cell. */
export function cellBox(layout: Layout, place: { node: string; slot: number }): Box | undefined {
  const step = layout.cell + layout.gap;
  if (place.node === "") {
    const size = Math.min(layout.cell, 24);
    const { x, y, columns } = layout.waiting;
    const row = Math.floor(place.slot / columns);
    return { x: x + 90 + (place.slot % columns) * (size + layout.gap), y: y + 8 + row * (size + layout.gap), width: size, height: size };
  }
  const node = layout.byName.get(place.node);
  if (!node) return undefined;
  const { x, y, columns } = node.cells;
  return { x: x + (place.slot % columns) * step, y: y + Math.floor(place.slot / columns) * step, width: layout.cell, height: layout.cell };
}

/** Columns that make boxes nearest to a card's shape, a little wider than high. */
function bestColumns(count: number, width: number, height: number): number {
  let best = 1;
  let least = Infinity;
  for (let columns = 1; columns <= count; columns++) {
    const ratio = width / columns / (height / Math.ceil(count / columns));
    const off = Math.abs(Math.log(ratio / 1.15));
    if (off < least) [least, best] = [off, columns];
  }
  return best;
}

function largestCell(width: number, height: number, count: number): number {
  for (const cell of cellSizes) {
    const gap = cell >= 18 ? 6 : cell >= 8 ? 2 : 1;
    const columns = Math.floor((width + gap) / (cell + gap));
    const rows = Math.floor((height + gap) / (cell + gap));
    if (columns * rows >= count) return cell;
  }
  return cellSizes[cellSizes.length - 1] ?? 3;
}
