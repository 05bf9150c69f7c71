/**
 * Where nodes and pods lie on the map: the pods that wait for a node in a band at
 * the surface, the nodes in a grid below. Sizes go down in steps, so that cells
 * seldom move when pods come and go.
 */
import type { NodeRecord } from "./records.js";
import type { Place } from "./slots.js";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A grid of cells from (x, y) on. */
interface Grid {
  x: number;
  y: number;
  columns: number;
  size: Size;
}

export interface NodeBox extends Box {
  node: NodeRecord;
  /** Room for text: none, the name only, or everything. */
  detail: 0 | 1 | 2;
  cells: Grid;
}

export interface Layout {
  width: number;
  height: number;
  size: Size;
  nodes: NodeBox[];
  byName: Map<string, NodeBox>;
  waiting: Box & { cells: Grid };
  /** The grid of nodes, to find the one at a point. */
  rows: { columns: number; stepX: number; stepY: number; x: number; y: number };
}

/** A cell with what is around it. */
export interface Size {
  cell: number;
  gap: number;
  /** Height of the name below a cell. */
  label: number;
}

const sizes: Size[] = [
  { cell: 52, gap: 14, label: 16 },
  { cell: 42, gap: 12, label: 16 },
  { cell: 32, gap: 8, label: 0 },
  { cell: 24, gap: 6, label: 0 },
  { cell: 18, gap: 4, label: 0 },
  { cell: 14, gap: 3, label: 0 },
  { cell: 11, gap: 2, label: 0 },
  { cell: 8, gap: 2, label: 0 },
  { cell: 6, gap: 1, label: 0 },
  { cell: 4, gap: 1, label: 0 },
  { cell: 3, gap: 1, label: 0 },
  { cell: 2, gap: 0, label: 0 },
];

const margin = 14;
const band = 46; // the waiting area's height
const bandLabel = 128;

/** Lays out the nodes to fill the area, with cells as large as the fullest node lets them be. */
export function layOut(width: number, height: number, nodes: readonly NodeRecord[], count: (node: string) => number): Layout {
  const total = Math.max(nodes.length, 1);
  const top = margin + band;
  const usable = { width: width - 2 * margin, height: height - top - margin };
  const columns = bestColumns(total, usable.width, usable.height);
  const rows = Math.ceil(total / columns);
  const between = total > 200 ? 3 : total > 60 ? 5 : total > 12 ? 8 : 12;
  const box = {
    width: Math.max((usable.width - between * (columns - 1)) / columns, 4),
    height: Math.max((usable.height - between * (rows - 1)) / rows, 4),
  };
  const detail = box.height > 92 && box.width > 96 ? 2 : box.height > 34 && box.width > 52 ? 1 : 0;
  const head = detail === 2 ? 56 : detail === 1 ? 19 : 2;
  const padding = detail === 2 ? 12 : detail === 1 ? 5 : 2;
  const most = nodes.reduce((most, node) => Math.max(most, count(node.name)), 1);
  const size = largest(box.width - 2 * padding, box.height - head - padding / 2, most);
  const byName = new Map<string, NodeBox>();
  const boxes = nodes.map((node, i) => {
    const x = margin + (i % columns) * (box.width + between);
    const y = top + Math.floor(i / columns) * (box.height + between);
    const cells = { x: x + padding, y: y + head, columns: fitting(box.width - 2 * padding, size), size };
    const nodeBox: NodeBox = { node, x, y, ...box, detail, cells };
    byName.set(node.name, nodeBox);
    return nodeBox;
  });
  const waitingWidth = usable.width - bandLabel;
  const waitingSize = largest(waitingWidth, band - 18, Math.max(count(""), 1), 24);
  return {
    width,
    height,
    size,
    nodes: boxes,
    byName,
    waiting: {
      x: margin,
      y: 0,
      width: usable.width,
      height: band,
      cells: { x: margin + bandLabel, y: 11, columns: fitting(waitingWidth, waitingSize), size: waitingSize },
    },
    rows: { columns, stepX: box.width + between, stepY: box.height + between, x: margin, y: top },
  };
}

/** The box of a pod's cell. */
export function cellBox(layout: Layout, place: Place): Box | undefined {
  const cells = place.node === "" ? layout.waiting.cells : layout.byName.get(place.node)?.cells;
  if (!cells) return undefined;
  const { cell, gap, label } = cells.size;
  return {
    x: cells.x + (place.slot % cells.columns) * (cell + gap),
    y: cells.y + Math.floor(place.slot / cells.columns) * (cell + gap + label),
    width: cell,
    height: cell,
  };
}

/** What lies at a point: a node, a place on it or in the waiting area, or nothing. */
export function placeAt(layout: Layout, x: number, y: number): { node: NodeBox | undefined; place: Place | undefined } {
  if (y < layout.waiting.height) return { node: undefined, place: slotAt(layout.waiting.cells, "", x, y) };
  const { columns, stepX, stepY } = layout.rows;
  const column = Math.floor((x - layout.rows.x) / stepX);
  const row = Math.floor((y - layout.rows.y) / stepY);
  if (column < 0 || column >= columns || row < 0) return { node: undefined, place: undefined };
  const node = layout.nodes[row * columns + column];
  if (!node || x > node.x + node.width || y > node.y + node.height) return { node: undefined, place: undefined };
  return { node, place: slotAt(node.cells, node.node.name, x, y) };
}

function slotAt(cells: Grid, node: string, x: number, y: number): Place | undefined {
  const { cell, gap, label } = cells.size;
  const column = Math.floor((x - cells.x + gap / 2) / (cell + gap));
  const row = Math.floor((y - cells.y + gap / 2) / (cell + gap + label));
  if (column < 0 || column >= cells.columns || row < 0) return undefined;
  return { node, slot: row * cells.columns + column };
}

/** Columns that make boxes nearest to a card's shape, a little wider than high, and leave few holes. */
function bestColumns(count: number, width: number, height: number): number {
  let best = 1;
  let least = Infinity;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const ratio = width / columns / (height / rows);
    const holes = (columns * rows - count) / count;
    const off = Math.abs(Math.log(ratio / 1.15)) + 2 * holes;
    if (off < least) [least, best] = [off, columns];
  }
  return best;
}

function fitting(width: number, { cell, gap }: Size): number {
  return Math.max(Math.floor((width + gap) / (cell + gap)), 1);
}

function largest(width: number, height: number, count: number, atMost = Infinity): Size {
  const fits = (size: Size) => fitting(width, size) * Math.floor((height + size.gap) / (size.cell + size.gap + size.label)) >= count;
  return sizes.find((size) => size.cell <= atMost && size.cell <= width && fits(size)) ?? (sizes[sizes.length - 1] as Size);
}
