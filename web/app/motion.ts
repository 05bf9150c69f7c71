/** Where pods are drawn on their way: they grow, move to a new place, and fade. */
import type { Box } from "./layout.js";

const duration = 320; // milliseconds

interface Move {
  from: Box;
  to: Box;
  start: number;
}

export interface Ghost<T> {
  what: T;
  box: Box;
  /** From 1 down to 0. */
  opacity: number;
}

export class Motion<T> {
  #moves = new Map<string, Move>();
  #ghosts: { what: T; box: Box; start: number }[] = [];

  /** Where something that belongs into a box is now. */
  box(key: string, to: Box, now: number): Box {
    const move = this.#moves.get(key);
    if (!move) {
      const from = { x: to.x + to.width / 4, y: to.y + to.height / 4, width: to.width / 2, height: to.height / 2 };
      this.#moves.set(key, { from, to, start: now });
      return from;
    }
    if (move.to.x !== to.x || move.to.y !== to.y || move.to.width !== to.width) {
      move.from = between(move, now);
      move.to = to;
      move.start = now;
    }
    return between(move, now);
  }

  /** Something is gone: it fades where it was. */
  end(key: string, what: T, now: number): void {
    const move = this.#moves.get(key);
    if (!move) return;
    this.#moves.delete(key);
    this.#ghosts.push({ what, box: between(move, now), start: now });
  }

  ghosts(now: number): Ghost<T>[] {
    this.#ghosts = this.#ghosts.filter((ghost) => now - ghost.start < duration);
    return this.#ghosts.map(({ what, box, start }) => ({ what, box, opacity: 1 - (now - start) / duration }));
  }

  /** Whether anything moves still. */
  moving(now: number): boolean {
    if (this.#ghosts.length > 0) return true;
    for (const move of this.#moves.values()) if (now - move.start < duration) return true;
    return false;
  }

  /** Forgets all ways: what comes next is where it belongs. */
  clear(): void {
    this.#moves.clear();
    this.#ghosts = [];
  }
}

function between({ from, to, start }: Move, now: number): Box {
  const t = Math.min((now - start) / duration, 1);
  if (t === 1) return to;
  const part = 1 - (1 - t) ** 3;
  const mix = (a: number, b: number) => a + (b - a) * part;
  return { x: mix(from.x, to.x), y: mix(from.y, to.y), width: mix(from.width, to.width), height: mix(from.height, to.height) };
}
