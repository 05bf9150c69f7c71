/** The map's colours, read from the style sheet so that themes live in one place. */
import type { PodState } from "./records.js";

export interface Palette {
  surface: string;
  node: string;
  nodeLine: string;
  line: string;
  text: string;
  muted: string;
  accent: string;
  warning: string;
  states: Record<PodState, string>;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    surface: color("--surface"),
    node: color("--node"),
    nodeLine: color("--node-line"),
    line: color("--line"),
    text: color("--text"),
    muted: color("--muted"),
    accent: color("--accent"),
    warning: color("--failing"),
    states: {
      pending: color("--pending"),
      starting: color("--starting"),
      ready: color("--ready"),
      failing: color("--failing"),
      ending: color("--ending"),
    },
  };
}
