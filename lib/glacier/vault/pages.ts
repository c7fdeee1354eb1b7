/** Lists come in pages of whatever size the service likes; a marker leads to the next one, null is the end. */
import { type Members, membersOf, optionalText } from "./answers.ts";
import type { VaultClient } from "./client.ts";
import { BrokenAnswerError } from "./errors.ts";

const maximumPages = 100_000;

/** All pages of a list. A marker that comes again would lead round in a circle. */
export async function* pagesOf<T>(
  client: VaultClient,
  options: {
    what: string;
    path: readonly string[];
    query?: Record<string, string>;
    limit: number;
    signal: AbortSignal;
    read: (page: Members) => T;
  },
): AsyncGenerator<T> {
  const { what, path, limit, signal } = options;
  const seen = new Set<string>();
  let marker: string | undefined;
  do {
    const question = {
      what,
      method: "GET" as const,
      path,
      query: { ...options.query, ...(marker === undefined ? {} : { marker }) },
      success: [200],
      limit,
    };
    const page = await client.ask(question, {
      signal,
      read: ({ body }) => {
        const members = membersOf(body);
        return { value: options.read(members), marker: optionalText(members.Marker, "the marker of the next page") };
      },
    });
    yield page.value;
    marker = page.marker;
    if (marker !== undefined && (seen.has(marker) || seen.size === maximumPages)) {
      throw new BrokenAnswerError(`Cannot ${what} (${client.location}): the list leads round in a circle`);
    }
    if (marker !== undefined) seen.add(marker);
  } while (marker !== undefined);
}
