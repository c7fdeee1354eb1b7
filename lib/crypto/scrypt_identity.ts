/**
 * Opens age files that are sealed to a passphrase. The age package could, but on this thread, and it leaves scrypt's 128 MiB
 * to the garbage collector for the rest of a backup; node:crypto works beside us and gives them back at once.
 */
import { scrypt } from "node:crypto";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Identity, Stanza } from "age-encryption";
import { encodeText } from "./text.ts";

const LABEL = "age-encryption.org/v1/scrypt";
const SALT_BYTES = 16;
/** A file key of 16 bytes, and a tag. */
const BODY_BYTES = 32;
const BLOCK_SIZE = 8;

/** An identity for the age package. The caller has checked the header: one stanza, and a work factor it wants to pay. */
export class ScryptIdentity implements Identity {
  readonly #passphrase: string;

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    const [stanza] = stanzas;
    if (stanza?.args[0] !== "scrypt") return null;
    const [, saltText = "", workFactor = ""] = stanza.args;
    const salt = Uint8Array.fromBase64(saltText, { lastChunkHandling: "loose" });
    const bad = stanzas.length !== 1 || stanza.args.length !== 3 || stanza.body.length !== BODY_BYTES;
    if (bad || salt.length !== SALT_BYTES || !/^[1-9][0-9]?$/.test(workFactor)) {
      throw new Error("invalid scrypt stanza");
    }
    const key = await derive(this.#passphrase, salt, Number(workFactor));
    try {
      return chacha20poly1305(key, new Uint8Array(12)).decrypt(stanza.body);
    } catch {
      // The tag is wrong: another passphrase.
      return null;
    }
  }
}

function derive(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Uint8Array> {
  const labelled = new Uint8Array([...encodeText(LABEL), ...salt]);
  const N = 2 ** workFactor;
  const options = { N, r: BLOCK_SIZE, p: 1, maxmem: 256 * N * BLOCK_SIZE };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, labelled, 32, options, (error, key) => error === null ? resolve(key) : reject(error));
  });
}
