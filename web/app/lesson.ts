/** The lesson: steps tick by themselves when the cluster, or what was asked of it, says so. */
import type { Cluster } from "./cluster.js";
import { announce, byId } from "./dom.js";
import type { Frame } from "./records.js";

export class Lesson {
  readonly id: string | undefined;
  #panel = byId("lesson");
  #done = new Set<string>();
  #current: string | undefined;

  constructor(run: (commands: string) => void) {
    this.id = this.#panel.dataset["lesson"];
    if (!this.id) {
      this.#panel.hidden = true;
      document.body.classList.add("without-lesson");
      return;
    }
    for (const button of this.#panel.querySelectorAll<HTMLElement>("[data-run]")) {
      button.addEventListener("click", () => run(button.dataset["run"] ?? ""));
    }
    for (const code of this.#panel.querySelectorAll<HTMLElement>(".step-text pre")) {
      const text = code.textContent ?? "";
      if (!text.includes("<")) this.#offer(code, text, run); // "<name>" is for the learner to fill in
    }
    this.#open(this.#panel.querySelector<HTMLElement>(".step")?.dataset["step"], false);
  }

  /** Asks a cluster to check this lesson from its start: progress belongs to a cluster. */
  follow(cluster: Cluster): void {
    if (!this.id) return;
    this.#done.clear();
    this.#current = undefined;
    this.resume(cluster);
  }

  /** Asks a cluster to go on with this lesson where the learner is. */
  resume(cluster: Cluster): void {
    if (this.id) cluster.send({ type: "lesson", id: this.id, done: [...this.#done] });
  }

  apply(frame: Frame): void {
    if (frame.type !== "lesson" || frame.id !== this.id) return;
    for (const step of frame.steps) {
      const element = byId(`step-${step.id}`);
      const detail = element.querySelector<HTMLElement>(".step-detail");
      const waiting = step.id === frame.current && step.detail ? step.detail : "";
      if (detail) {
        detail.textContent = waiting;
        detail.hidden = waiting === "";
      }
      element.classList.toggle("done", step.done === true);
      const state = element.querySelector(".step-state");
      if (state) state.textContent = step.done ? "done" : "to do";
      if (step.done && !this.#done.has(step.id)) {
        this.#done.add(step.id);
        announce(`Step done: ${element.querySelector(".step-title")?.textContent ?? step.id}`);
      }
    }
    (byId("lesson-progress") as HTMLProgressElement).value = this.#done.size;
    byId("lesson-done").hidden = this.#done.size < frame.steps.length;
    if (frame.current !== this.#current) {
      this.#open(frame.current, this.#current !== undefined);
      this.#current = frame.current;
    }
  }

  #open(id: string | undefined, scroll: boolean): void {
    for (const step of this.#panel.querySelectorAll<HTMLElement>(".step")) {
      const current = step.dataset["step"] === id;
      step.classList.toggle("current", current);
      const body = step.querySelector("details");
      if (body) body.open = current;
      if (current && scroll) step.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    }
  }

  #offer(code: HTMLElement, text: string, run: (commands: string) => void): void {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "run";
    button.textContent = "Run";
    button.setAttribute("aria-label", `Run in the terminal: ${text.trim()}`);
    button.addEventListener("click", () => run(text));
    const frame = document.createElement("div");
    frame.className = "runnable";
    code.replaceWith(frame);
    frame.append(code, button);
  }
}
