/** The reading thread: see reader.ts. */
import { createIdHasher } from "../crypto/mod.ts";
import type { ReaderMessage, ReaderStart } from "./ingest.ts";
import { readAll } from "./reader.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ReaderStart | number>) => void;
  postMessage(message: ReaderMessage, transfer?: Transferable[]): void;
};

const free: number[] = [];
let wanted: ((slot: number) => void) | undefined;

scope.onmessage = ({ data }) => {
  if (typeof data !== "number") {
    read(data);
  } else if (wanted === undefined) {
    free.push(data);
  } else {
    wanted(data);
    wanted = undefined;
  }
};

async function read(start: ReaderStart): Promise<void> {
  try {
    const hasher = await createIdHasher(start.pagesKey);
    const end = await readAll(start.source, {
      arena: start.arena,
      cutting: {
        sizes: start.sizes,
        smallBodyBytes: start.smallBodyBytes,
        nameHash: (name) => hasher.id(name)[0]!,
      },
      freeSlot: () => free.length > 0 ? Promise.resolve(free.shift()!) : new Promise((resolve) => wanted = resolve),
      emit: (slot) => scope.postMessage({ type: "slot", slot }, [slot.plan.events.buffer]),
    });
    scope.postMessage({ type: "end", end });
  } catch (error) {
    const { name, message } = error as Error;
    scope.postMessage({ type: "error", name, message });
  }
}
