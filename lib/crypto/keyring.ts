/**
 * What the holder of one key can derive, and nothing more. The limits are real, not checks: a list key holds no secret from
 * which a body key follows, a write key none of another domain's. The errors only explain that.
 */
import { recipientOf } from "./age.ts";
import type { Domain, KeyBundle, Role } from "./bundle.ts";
import { WrongKeyError } from "./errors.ts";
import {
  type BodyKeys,
  deriveBodies,
  deriveBodyKeys,
  deriveControlKey,
  deriveDomainId,
  deriveDomainSecret,
  deriveIdentity,
  deriveShapeKeys,
  deriveShapes,
  type Key,
  type ShapeKeys,
} from "./keys.ts";

/** create: add backups; list: read recipes; extract: read bodies; control: sign forget, condemn and damage records. */
export type Ability = "create" | "list" | "extract" | "control";

const ABILITIES: Record<Role, readonly Ability[]> = {
  full: ["create", "list", "extract", "control"],
  list: ["list"],
  write: ["create"],
};

/** A parsed key and what follows from it, each derived once. What the role cannot have is a WrongKeyError. */
export class Keyring {
  readonly role: Role;
  /** The repository's id in hex. */
  readonly repository: string;
  /** The exact text of tarzan.json as this key knows it. */
  readonly config: string;
  /** The domain into which this key writes unless told otherwise. */
  readonly defaultDomain: Domain;
  readonly #bundle: KeyBundle;
  readonly #derived = new Map<string, Promise<unknown>>();

  constructor(bundle: KeyBundle) {
    this.role = bundle.role;
    this.repository = bundle.repository;
    this.config = bundle.config;
    this.defaultDomain = bundle.domain;
    this.#bundle = bundle;
  }

  /** Whether the role suffices. */
  can(ability: Ability): boolean {
    return ABILITIES[this.role].includes(ability);
  }

  /** The id of the domain called `name`: any domain for full and list, its own for write. */
  async domainId(name: string): Promise<string> {
    const bundle = this.#bundle;
    if (bundle.role === "write") {
      if (name === bundle.domain.name) return bundle.domain.id;
      throw this.#lacks(`it belongs to the domain "${bundle.domain.name}" and knows no other`);
    }
    return await this.#once(`domain ${name}`, async () => await deriveDomainId(await this.#shapes(), name));
  }

  /** The keys of a domain that say what exists: any domain for full and list, its own for write. */
  async shapeKeys(domainId: string): Promise<ShapeKeys> {
    const bundle = this.#bundle;
    return await this.#once(`shapes ${domainId}`, async () => {
      if (bundle.role !== "write") {
        return await deriveShapeKeys(await deriveDomainSecret(await this.#shapes(), domainId));
      }
      this.#checkOwn(bundle.domain, domainId);
      return await deriveShapeKeys(bundle.shapeSecret);
    });
  }

  /** The keys of a domain that name and cut bodies: any domain for full, its own for write, none for list. */
  async bodyKeys(domainId: string): Promise<BodyKeys> {
    const bundle = this.#bundle;
    return await this.#once(`bodies ${domainId}`, async () => {
      if (bundle.role === "list") throw this.#lacks("it can name and cut no body");
      if (bundle.role === "full") {
        return await deriveBodyKeys(await deriveDomainSecret(await deriveBodies(bundle.root), domainId));
      }
      this.#checkOwn(bundle.domain, domainId);
      return await deriveBodyKeys(bundle.bodySecret);
    });
  }

  /** The key that signs forget, condemn and damage records: for full alone. */
  async controlKey(): Promise<Key> {
    const bundle = this.#bundle;
    if (bundle.role !== "full") throw this.#lacks("it can sign no record that removes something");
    return await this.#once("control", () => deriveControlKey(bundle.root));
  }

  /** The age recipient of data bricks. */
  async dataRecipient(): Promise<string> {
    const bundle = this.#bundle;
    if (bundle.role !== "full") return bundle.dataRecipient;
    return await this.#once("data recipient", async () => await recipientOf(await deriveIdentity(bundle.root, "data")));
  }

  /** The age recipient of meta bricks and of the sealed part of indexes. */
  async metaRecipient(): Promise<string> {
    const bundle = this.#bundle;
    if (bundle.role === "write") return bundle.metaRecipient;
    return await this.#once("meta recipient", async () => await recipientOf((await this.metaIdentity())!));
  }

  /** The age identity that opens data bricks, or undefined when the role has none. */
  async dataIdentity(): Promise<string | undefined> {
    const bundle = this.#bundle;
    if (bundle.role !== "full") return undefined;
    return await this.#once("data identity", () => deriveIdentity(bundle.root, "data"));
  }

  /** The age identity that opens meta bricks and indexes, or undefined when the role has none. */
  async metaIdentity(): Promise<string | undefined> {
    const bundle = this.#bundle;
    if (bundle.role === "list") return bundle.metaIdentity;
    if (bundle.role === "write") return undefined;
    return await this.#once("meta identity", () => deriveIdentity(bundle.root, "meta"));
  }

  async #shapes(): Promise<Key> {
    const bundle = this.#bundle;
    if (bundle.role === "list") return bundle.shapes;
    if (bundle.role === "write") throw this.#lacks("it knows one domain only");
    return await this.#once("shapes", () => deriveShapes(bundle.root));
  }

  #checkOwn(domain: Domain, domainId: string): void {
    if (domainId !== domain.id) throw this.#lacks(`it belongs to the domain "${domain.name}", not to ${domainId}`);
  }

  #lacks(why: string): WrongKeyError {
    return new WrongKeyError(`This key has the role "${this.role}": ${why}. Use a key of a role that may`);
  }

  #once<T>(name: string, derive: () => Promise<T>): Promise<T> {
    const known = this.#derived.get(name) ?? derive();
    this.#derived.set(name, known);
    return known as Promise<T>;
  }
}
