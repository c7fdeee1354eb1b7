import { join } from "node:path";
import { createDirectoryStore, openDirectoryStore, type Store } from "../../lib/store/mod.ts";
import type { StoreUnderTest } from "./conformance.ts";

/** Runs a test with a directory of its own, which is removed afterwards. */
export async function withDirectory(test: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir({ prefix: "tarzan-store-" });
  try {
    await test(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** A fresh directory store for the conformance suite. */
export async function makeDirectoryStore(): Promise<StoreUnderTest> {
  const path = await Deno.makeTempDir({ prefix: "tarzan-store-" });
  const store = await createDirectoryStore(join(path, "repository"));
  const opened: Store[] = [store];
  return {
    store,
    reopen: async () => {
      const other = await openDirectoryStore(store.location);
      opened.push(other);
      return other;
    },
    dispose: async () => {
      for (const one of opened) await one.close();
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** Every path below a directory, with its kind and mode, sorted. */
export async function tree(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of Deno.readDir(path)) {
    const { mode } = await Deno.lstat(join(path, entry.name));
    lines.push(`${entry.name}${entry.isDirectory ? "/" : ""} ${((mode ?? 0) & 0o777).toString(8)}`);
    if (entry.isDirectory) lines.push(...(await tree(join(path, entry.name))).map((line) => `${entry.name}/${line}`));
  }
  return lines.sort();
}
