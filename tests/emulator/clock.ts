/** The emulator's time: moved by hand, so that twelve hours of waiting take no time. */

/** What the services take for now. */
export interface Clock {
  readonly startedAt: Date;
  now(): Date;
  /** Moves it on; never back. */
  advance(ms: number): void;
}

/** A clock that stands still at `startAt` until it is moved; without `startAt` it runs with the real one. */
export function movableClock(startAt?: Date): Clock {
  let moved = 0;
  return {
    startedAt: startAt ?? new Date(),
    now: () => new Date((startAt?.getTime() ?? Date.now()) + moved),
    advance: (ms) => {
      if (!(ms >= 0)) throw new RangeError(`The emulator's clock cannot be moved by ${ms} ms: only forward`);
      moved += ms;
    },
  };
}

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
