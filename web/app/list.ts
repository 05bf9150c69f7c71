/** The map's twin for keyboards and screen readers: nodes with their pods as a table. */
import { age, h } from "./dom.js";
import type { Model } from "./model.js";
import type { Selection } from "./selection.js";
import type { PodRecord } from "./records.js";

const refreshAfter = 250; // milliseconds

export class ClusterList {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly holder: HTMLElement,
    private readonly model: Model,
    private readonly selection: Selection,
  ) {
    model.subscribe(() => this.#later());
    selection.subscribe(() => this.#later());
  }

  show(visible: boolean): void {
    this.holder.hidden = !visible;
    if (visible) this.#render();
  }

  #later(): void {
    if (this.holder.hidden || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.holder.hidden) this.#render();
    }, refreshAfter);
  }

  #render(): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["key"] : undefined;
    const pods = new Map<string, PodRecord[]>();
    for (const pod of this.model.pods.values()) {
      const name = pod.node ?? "";
      const list = pods.get(name);
      if (list) list.push(pod);
      else pods.set(name, [pod]);
    }
    const sections = this.model.nodes.map((node) => this.#section(`${node.name} · ${node.status}`, node.uid, pods.get(node.name) ?? []));
    const waiting = pods.get("") ?? [];
    if (waiting.length > 0) sections.push(this.#section("No node yet", "", waiting));
    this.holder.replaceChildren(...sections);
    if (focused) this.holder.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #section(title: string, uid: string, pods: PodRecord[]): HTMLElement {
    const heading = uid ? this.#button(uid, title) : title;
    const rows = pods
      .sort((a, b) => a.name.localeCompare(b.name))
      .map((pod) =>
        h("tr", {}, h("th", { scope: "row" }, this.#button(pod.uid, pod.name)), h("td", {}, pod.status), h("td", {}, `${pod.ready}/${pod.containers}`), h("td", {}, String(pod.restarts)), h("td", {}, age(pod.created, this.model.time))),
      );
    const table =
      rows.length === 0
        ? h("p", { class: "empty" }, "No pods.")
        : h("table", {}, h("thead", {}, h("tr", {}, ...["Pod", "Status", "Ready", "Restarts", "Age"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows));
    return h("section", {}, h("h3", {}, heading), table);
  }

  #button(uid: string, text: string): HTMLElement {
    return h("button", { type: "button", class: "link", "data-key": uid, "aria-pressed": String(this.selection.uid === uid), click: () => this.selection.select(uid) }, text);
  }
}
