/** The selected object; map, list and inspector share it. */
import type { Model } from "./model.js";

export class Selection {
  uid: string | undefined;
  /** The pods that the selected object owns, directly or not. */
  related = new Set<string>();
  #listeners = new Set<() => void>();

  constructor(private readonly model: Model) {
    model.subscribe(() => {
      if (this.uid && !model.get(this.uid)) this.select(undefined);
      else if (this.uid) this.related = this.#pods(this.uid);
    });
  }

  subscribe(listener: () => void): void {
    this.#listeners.add(listener);
  }

  select(uid: string | undefined): void {
    this.uid = uid;
    this.related = uid ? this.#pods(uid) : new Set();
    for (const listener of this.#listeners) listener();
  }

  #pods(uid: string): Set<string> {
    const found = new Set<string>();
    const record = this.model.get(uid);
    if (!record || record.kind === "Pod" || record.kind === "Node") return found;
    if (record.kind === "Service") {
      const wanted = Object.entries(record.selector ?? {});
      for (const pod of this.model.pods.values()) {
        if (wanted.length > 0 && pod.namespace === record.namespace && wanted.every(([key, value]) => pod.labels?.[key] === value)) {
          found.add(pod.uid);
        }
      }
      return found;
    }
    for (const owned of this.model.owned(uid)) {
      if (owned.kind === "Pod") found.add(owned.uid);
      else for (const pod of this.#pods(owned.uid)) found.add(pod);
    }
    return found;
  }
}
