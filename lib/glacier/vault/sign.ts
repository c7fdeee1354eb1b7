/** Signature Version 4, by the library of Amazon's SDK, with the hashes of node:crypto. */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import type { AwsKeys } from "../../store/mod.ts";

/** Where credentials come from; asked before every request, so it remembers them until they expire. */
export type CredentialSource = (options?: { forceRefresh?: boolean }) => Promise<AwsKeys>;

/** A request that can be signed. */
export interface SignableRequest {
  method: string;
  hostname: string;
  /** Percent-encoded. */
  path: string;
  query: Record<string, string>;
  /** With the host, and with x-amz-content-sha256 where there is a body. */
  headers: Record<string, string>;
}

/** The headers of a request with those of its signature. */
export async function signed(
  request: SignableRequest,
  options: { service: string; region: string; credentials: AwsKeys; at: Date },
): Promise<Record<string, string>> {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const { service, region, at } = options;
  const { accessKeyId, secretAccessKey, sessionToken } = options.credentials;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false });
  const result = await signer.sign({ ...request, protocol: "https:" }, { signingDate: at });
  return result.headers;
}

/** What the library takes as a hash: SHA-256, with a key HMAC. */
class Sha256 {
  #hash: Hash | Hmac;
  readonly #key: Uint8Array | string | undefined;

  constructor(key?: ArrayBuffer | ArrayBufferView | string) {
    this.#key = key === undefined || typeof key === "string" ? key : bytesOf(key);
    this.#hash = this.#begin();
  }

  update(data: ArrayBuffer | ArrayBufferView | string): void {
    this.#hash.update(typeof data === "string" ? data : bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#key === undefined ? createHash("sha256") : createHmac("sha256", this.#key);
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
