/**
 * Which uploads are open, by their descriptions: how an upload of an earlier run is found again with no local state. The
 * vault is asked once; what this process begins and finishes itself is known here.
 */
import type { VaultClient } from "./client.ts";
import { SharedQuestion } from "./shared_question.ts";
import { listUploads } from "./upload_calls.ts";

/** The question serves whoever asks; it ends with the client. */
const never = new AbortController().signal;

export class OpenUploads {
  readonly #listed: SharedQuestion<Map<string, string[]>>;
  readonly #begun = new Map<string, Set<string>>();
  readonly #gone = new Set<string>();

  constructor(client: VaultClient) {
    this.#listed = new SharedQuestion(async () => {
      const uploads = await listUploads(client, { signal: never });
      return Map.groupBy(uploads, ({ description }) => description).entries()
        .reduce((all, [description, some]) => all.set(description, some.map(({ id }) => id)), new Map());
    });
  }

  /** The ids of the open uploads of this description; `again` asks the vault once more. */
  async find(description: string, options: { signal: AbortSignal; again?: boolean }): Promise<string[]> {
    if (options.again) this.#listed.forget();
    const listed = (await this.#listed.get(options.signal)).get(description) ?? [];
    const all = new Set([...listed, ...(this.#begun.get(description) ?? [])]);
    return [...all].filter((id) => !this.#gone.has(id));
  }

  /** An upload was begun here. */
  add(description: string, id: string): void {
    this.#begun.set(description, (this.#begun.get(description) ?? new Set()).add(id));
  }

  /** An upload is completed or gone. */
  remove(description: string, id: string): void {
    this.#gone.add(id);
    this.#begun.get(description)?.delete(id);
  }
}
