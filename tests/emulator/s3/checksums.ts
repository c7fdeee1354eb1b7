/** The checksums that S3 knows by name, each as a hash that is fed piece by piece. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crc64Nvme } from "./crc64.ts";
import { crc32c } from "./crc32c.ts";

export type ChecksumName = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";
export const checksumNames: readonly ChecksumName[] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Raw; called once. */
  digest(): Uint8Array;
}

/** A checksum as an object keeps it. */
export interface Checksum {
  name: ChecksumName;
  /** Base64; with "-N" behind it when it is one of N parts' checksums. */
  value: string;
  type: "FULL_OBJECT" | "COMPOSITE";
}

/** The header that tells a checksum. */
export function checksumHeader(name: ChecksumName): string {
  return `x-amz-checksum-${name.toLowerCase()}`;
}

/** Begins a hash. */
export function hasher(name: ChecksumName | "MD5"): Hasher {
  if (name === "CRC32") {
    let crc = 0;
    return { update: (bytes) => void (crc = crc32(bytes, crc)), digest: () => bigEndian(crc) };
  }
  if (name === "CRC32C") {
    let crc = 0;
    return { update: (bytes) => void (crc = crc32c(bytes, crc)), digest: () => bigEndian(crc) };
  }
  if (name === "CRC64NVME") return crc64Nvme();
  const hash = createHash(name.toLowerCase());
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

function bigEndian(crc: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc);
  return bytes;
}
