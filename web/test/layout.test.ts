import assert from "node:assert/strict";
import { test } from "node:test";
import { cellBox, layOut, placeAt } from "../app/layout.js";
import { Motion } from "../app/motion.js";
import { Slots } from "../app/slots.js";
import { node, pod, running } from "./records.js";

test("a pod keeps its place, and a new one takes the first that is free", () => {
  const slots = new Slots();
  for (const name of ["a", "b", "c"]) slots.set(running(name, "node-1"));
  slots.remove("uid-b");
  assert.deepEqual(slots.place("uid-c"), { node: "node-1", slot: 2 });
  slots.set(running("d", "node-1"));
  slots.set(running("e", "node-1"));
  assert.deepEqual(slots.pods("node-1"), ["uid-a", "uid-d", "uid-c", "uid-e"]);
});

test("places at the end are given up, and taken again from the first on", () => {
  const slots = new Slots();
  for (const name of ["a", "b", "c"]) slots.set(running(name, "node-1"));
  slots.remove("uid-b");
  slots.remove("uid-c");
  assert.equal(slots.count("node-1"), 1);
  for (const name of ["d", "e"]) slots.set(running(name, "node-1"));
  assert.deepEqual(slots.pods("node-1"), ["uid-a", "uid-d", "uid-e"]);
});

test("a pod that gets a node moves there from the waiting area", () => {
  const slots = new Slots();
  slots.set(pod("a"));
  assert.deepEqual(slots.place("uid-a"), { node: "", slot: 0 });
  slots.set(running("a", "node-2"));
  assert.deepEqual(slots.place("uid-a"), { node: "node-2", slot: 0 });
  assert.equal(slots.count(""), 0);
});

test("a snapshot drops the pods that it does not hold and keeps the places of the others", () => {
  const slots = new Slots();
  for (const name of ["a", "b"]) slots.set(running(name, "node-1"));
  const b = running("b", "node-1");
  slots.apply({ all: true, set: [b], deleted: [] }, { pods: new Map([[b.uid, b]]) });
  assert.equal(slots.place("uid-a"), undefined);
  assert.deepEqual(slots.place("uid-b"), { node: "node-1", slot: 1 });
});

const cases = [
  { width: 600, height: 320, nodes: 3, pods: 2 },
  { width: 390, height: 260, nodes: 3, pods: 12 },
  { width: 900, height: 500, nodes: 100, pods: 10 },
  { width: 900, height: 500, nodes: 5, pods: 200 },
];
for (const { width, height, nodes, pods } of cases) {
  test(`${nodes} nodes with ${pods} pods each fit into ${width}×${height}, and are found where they lie`, () => {
    const all = Array.from({ length: nodes }, (_, i) => node(`node-${i + 1}`));
    const layout = layOut(width, height, all, (name) => (name === "" ? 30 : pods));
    for (const box of layout.nodes) {
      assert.ok(box.x >= 0 && box.y >= layout.waiting.height && box.x + box.width <= width && box.y + box.height <= height);
      for (let slot = 0; slot < pods; slot++) {
        const cell = cellBox(layout, { node: box.node.name, slot });
        assert.ok(cell && cell.x >= box.x && cell.x + cell.width <= box.x + box.width + 0.01, "beside its node");
        assert.ok(cell.y >= box.y && cell.y + cell.height <= box.y + box.height + 0.01, "below its node");
        const found = placeAt(layout, cell.x + cell.width / 2, cell.y + cell.height / 2);
        assert.deepEqual(found.place, { node: box.node.name, slot });
      }
    }
    const last = cellBox(layout, { node: "", slot: 29 });
    assert.ok(last && last.y + last.height <= layout.waiting.height);
    assert.deepEqual(placeAt(layout, last.x + 1, last.y + 1).place, { node: "", slot: 29 });
  });
}

test("an empty cluster has a layout", () => {
  const layout = layOut(600, 300, [], () => 0);
  assert.equal(layout.nodes.length, 0);
  assert.equal(placeAt(layout, 300, 200).node, undefined);
  assert.equal(cellBox(layout, { node: "gone", slot: 0 }), undefined);
});

test("things grow, move and fade, and then rest", () => {
  const motion = new Motion<string>();
  const at = (x: number) => ({ x, y: 0, width: 40, height: 40 });
  assert.equal(motion.box("a", at(0), 0).width, 20);
  assert.deepEqual(motion.box("a", at(0), 1000), at(0));
  assert.equal(motion.moving(1000), false);
  motion.box("a", at(100), 1000);
  assert.equal(motion.moving(1100), true);
  const x = motion.box("a", at(100), 1100).x;
  assert.ok(x > 0 && x < 100);
  assert.deepEqual(motion.box("a", at(100), 2000), at(100));
  motion.end("a", "a", 2000);
  assert.equal(motion.ghosts(2100)[0]?.what, "a");
  assert.deepEqual(motion.ghosts(3000), []);
  assert.equal(motion.moving(3000), false);
});
