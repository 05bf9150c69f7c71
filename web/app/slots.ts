/**
 * Which place a pod has: on its node, or among those that wait for one. Places
 * are stable: a pod keeps its own until it is gone or moves, and a new one takes
 * the first that is free.
 */
import type { Changes, Model } from "./model.js";
import type { PodRecord } from "./records.js";

export interface Place {
  /** The node's name; "" is the waiting area. */
  node: string;
  slot: number;
}

/** The places on one node. */
class Row {
  readonly pods: (string | undefined)[] = [];
  #first = 0; // no place before it is free

  take(uid: string): number {
    let slot = this.#first;
    while (slot < this.pods.length && this.pods[slot] !== undefined) slot++;
    this.pods[slot] = uid;
    this.#first = slot + 1;
    return slot;
  }

  leave(slot: number): void {
    this.pods[slot] = undefined;
    this.#first = Math.min(this.#first, slot);
    while (this.pods.length > 0 && this.pods[this.pods.length - 1] === undefined) this.pods.pop();
  }
}

export class Slots {
  #places = new Map<string, Place>();
  #rows = new Map<string, Row>();

  /** Takes over what has changed. */
  apply(changes: Changes, model: Pick<Model, "pods">): void {
    if (changes.all) {
      for (const uid of [...this.#places.keys()]) if (!model.pods.has(uid)) this.remove(uid);
    }
    for (const record of changes.deleted) if (record.kind === "Pod") this.remove(record.uid);
    for (const record of changes.set) if (record.kind === "Pod") this.set(record);
  }

  set(pod: Pick<PodRecord, "uid" | "node">): void {
    const node = pod.node ?? "";
    if (this.#places.get(pod.uid)?.node === node) return;
    this.remove(pod.uid);
    let row = this.#rows.get(node);
    if (!row) this.#rows.set(node, (row = new Row()));
    this.#places.set(pod.uid, { node, slot: row.take(pod.uid) });
  }

  remove(uid: string): void {
    const place = this.#places.get(uid);
    if (!place) return;
    this.#places.delete(uid);
    this.#rows.get(place.node)?.leave(place.slot);
  }

  place(uid: string): Place | undefined {
    return this.#places.get(uid);
  }

  /** How many places a node shows, free ones between pods included. */
  count(node: string): number {
    return this.#rows.get(node)?.pods.length ?? 0;
  }

  at(node: string, slot: number): string | undefined {
    return this.#rows.get(node)?.pods[slot];
  }

  /** The pods of a node in the order of their places. */
  pods(node: string): string[] {
    return (this.#rows.get(node)?.pods ?? []).filter((uid) => uid !== undefined);
  }
}
