import {
  advanceProgress,
  beginProgress,
  type Progress,
  type ProgressFields,
  type ProgressState,
  renderProgress,
} from "./progress.ts";

/** What a progress line needs of the world. */
export interface ProgressScreen {
  /** Where it is drawn: standard error. */
  readonly write: (text: string) => void;
  /** A terminal's line is rewritten in place; anything else gets whole lines, rarely. */
  readonly isTerminal: boolean;
  readonly columns: () => number;
  readonly nowMs: () => number;
}

const redrawEveryMs = 125;
const lineEveryMs = 5_000;
/** A command that is over sooner than this shows no progress at all. */
const quietAtFirstMs = 300;

/**
 * Draws progress on standard error. Nothing runs in the background: the line changes when `update` is called. Whoever
 * else writes to standard error calls `clear` first.
 */
export class ProgressLine implements Progress {
  readonly #screen: ProgressScreen;
  readonly #startedMs: number;
  #state: ProgressState | undefined;
  #drawnAtMs = -Infinity;
  #shown = false;

  constructor(screen: ProgressScreen) {
    this.#screen = screen;
    this.#startedMs = screen.nowMs();
    if (!screen.isTerminal) this.#drawnAtMs = this.#startedMs;
  }

  update(fields: ProgressFields): void {
    const nowMs = this.#screen.nowMs();
    this.#state = this.#state ? advanceProgress(this.#state, fields, nowMs) : beginProgress(fields, nowMs);
    if (nowMs - this.#startedMs < quietAtFirstMs) return;
    if (nowMs - this.#drawnAtMs < (this.#screen.isTerminal ? redrawEveryMs : lineEveryMs)) return;
    this.#drawnAtMs = nowMs;
    this.#draw(this.#state);
  }

  done(): void {
    if (this.#state && !this.#screen.isTerminal && this.#shown) this.#draw(this.#state);
    this.clear();
    this.#state = undefined;
  }

  /** Takes the line off the terminal, so that something else can be printed; the next update draws it again. */
  clear(): void {
    if (!this.#screen.isTerminal || !this.#shown) return;
    this.#screen.write("\r\x1b[K");
    this.#shown = false;
    this.#drawnAtMs = -Infinity;
  }

  #draw(state: ProgressState): void {
    this.#shown = true;
    const line = renderProgress(state, this.#screen.isTerminal ? this.#screen.columns() : 200);
    this.#screen.write(this.#screen.isTerminal ? `\r${line}\x1b[K` : `${line}\n`);
  }
}

/** Progress that nobody looks at. */
export const noProgress: Progress = { update() {}, done() {} };
