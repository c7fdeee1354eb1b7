/** Making keys: a new root, and from a full key the smaller ones that it hands out. */
import { recipientOf } from "./age.ts";
import type { FullBundle, ListBundle, WriteBundle } from "./bundle.ts";
import { SECRET_BYTES } from "./derive.ts";
import { deriveBodies, deriveDomainId, deriveDomainSecret, deriveIdentity, deriveShapes, type Key } from "./keys.ts";
import { randomBytes } from "./random.ts";

/** The full key of a new repository, with a fresh root unless one is given. */
export async function createFullBundle(
  options: { repository: string; domainName: string; config: string; root?: Key },
): Promise<FullBundle> {
  const { repository, config } = options;
  const root = options.root ?? randomBytes(SECRET_BYTES);
  return { role: "full", repository, domain: await domainCalled(root, options.domainName), config, root };
}

/** The list key of the same repository and default domain. */
export async function createListBundle(full: FullBundle): Promise<ListBundle> {
  const { repository, domain, config, root } = full;
  return {
    role: "list",
    repository,
    domain,
    config,
    shapes: await deriveShapes(root),
    metaIdentity: await deriveIdentity(root, "meta"),
    dataRecipient: await recipientOf(await deriveIdentity(root, "data")),
  };
}

/** The key that writes into the domain called `domainName`, an old one or a new one, and into no other. */
export async function createWriteBundle(full: FullBundle, domainName: string): Promise<WriteBundle> {
  const { repository, config, root } = full;
  const domain = await domainCalled(root, domainName);
  return {
    role: "write",
    repository,
    domain,
    config,
    shapeSecret: await deriveDomainSecret(await deriveShapes(root), domain.id),
    bodySecret: await deriveDomainSecret(await deriveBodies(root), domain.id),
    dataRecipient: await recipientOf(await deriveIdentity(root, "data")),
    metaRecipient: await recipientOf(await deriveIdentity(root, "meta")),
  };
}

async function domainCalled(root: Key, name: string): Promise<FullBundle["domain"]> {
  return { id: await deriveDomainId(await deriveShapes(root), name), name };
}
