/** A thread for one ROMix. */
import { roMix } from "./ro_mix.ts";
import type { RoMixReply, RoMixTask } from "./scrypt.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<RoMixTask>) => void;
  postMessage(reply: RoMixReply): void;
};

scope.onmessage = ({ data: { block, n } }) => {
  try {
    scope.postMessage({ mixed: roMix(block, n) });
  } catch (error) {
    // Told, not thrown: for what a thread throws Deno prints a stack.
    scope.postMessage({ error: (error as Error).message });
  }
};
