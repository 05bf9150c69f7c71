/** The map's twin for keyboards and screen readers: nodes, each with its pods as a table. */
import { h } from "./dom.js";
import type { Model } from "./model.js";
import { podState, type PodRecord } from "./records.js";
import type { Selection } from "./selection.js";
import { age, brief, count } from "./words.js";

const refreshAfter = 250; // milliseconds between two drawings
/** With more pods than this only the nodes that are opened show theirs. */
const mostOpen = 200;

const byName = new Intl.Collator("en", { numeric: true });

export class ClusterList {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the reader opened or closed, by node. */
  #open = new Map<string, boolean>();

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
    if (this.holder.hidden) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.holder.hidden) this.#render();
    }, refreshAfter);
  }

  #render(): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["key"] : undefined;
    const pods = new Map<string, PodRecord[]>();
    for (const pod of this.model.pods.values()) {
      const node = pod.node ?? "";
      const list = pods.get(node);
      if (list) list.push(pod);
      else pods.set(node, [pod]);
    }
    const sections: HTMLElement[] = [];
    const waiting = pods.get("");
    if (waiting) sections.push(this.#section("", "Waiting for a node", waiting));
    for (const node of this.model.nodes) {
      sections.push(this.#section(node.name, this.#button(node.uid, node.name), pods.get(node.name) ?? [], brief(node)));
    }
    this.holder.replaceChildren(...sections);
    if (focused) this.holder.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #section(node: string, title: HTMLElement | string, pods: PodRecord[], status = ""): HTMLElement {
    const about = [status, count(pods.length, "pod")].filter(Boolean).join(" · ");
    const heading = h("h3", {}, title, h("span", { class: "about" }, about));
    if (pods.length === 0) return h("section", {}, heading);
    const open = this.#open.get(node) ?? this.model.pods.size <= mostOpen;
    const details = h("details", {}, h("summary", { "data-key": `pods-${node}` }, open ? "Pods" : "Show pods")) as HTMLDetailsElement;
    details.open = open;
    if (open) details.append(this.#table(pods));
    details.addEventListener("toggle", () => {
      if (details.open === open) return;
      this.#open.set(node, details.open);
      this.#render();
    });
    return h("section", {}, heading, details);
  }

  #table(pods: PodRecord[]): HTMLElement {
    const head = ["Pod", "Status", "Ready", "Restarts", "Age"].map((name) => h("th", { scope: "col" }, name));
    const rows = pods.sort((a, b) => byName.compare(a.name, b.name)).map((pod) => this.#row(pod));
    return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  }

  #row(pod: PodRecord): HTMLElement {
    const status = h("td", {}, h("span", { class: "glyph", "data-state": podState(pod) }), pod.status);
    const rest = [`${pod.ready}/${pod.containers}`, String(pod.restarts), age(pod.created, this.model.now())].map((text) => h("td", {}, text));
    return h("tr", {}, h("th", { scope: "row" }, this.#button(pod.uid, pod.name)), status, ...rest);
  }

  #button(uid: string, text: string): HTMLElement {
    return h("button", { type: "button", class: "link", "data-key": uid, "aria-pressed": String(this.selection.uid === uid), click: () => this.selection.select(uid) }, text);
  }
}
