/** What a bucket's answers say, in our words; and what they must say to be believed. */
import { OddAnswerError } from "./failures.ts";
import type { Body } from "./transfer.ts";

/** Whether a readable copy of an archived object is there, or being made. */
export interface RestoreState {
  ongoing: boolean;
  until?: Date;
}

/** What a bucket says of one object. */
export interface BucketObject {
  bytes: number;
  /** Hex; undefined when the store knows none of the whole object. */
  sha256?: string;
  /** "STANDARD" unless the store says otherwise. */
  class: string;
  restore?: RestoreState;
  modifiedAt: Date;
  lockedUntil?: Date;
}

/** What is wrong with what is there, if anything is. */
export function difference(there: BucketObject | undefined, body: Body): string | undefined {
  if (there === undefined) return "it has no such object";
  if (there.bytes !== body.bytes) {
    return `it has ${there.bytes} bytes of ${body.bytes}. It may not understand what it is sent; use another server`;
  }
  if (there.sha256 === undefined) {
    return "it has lost the SHA-256 that came with it, so nobody could check it without reading it. TARzan needs a server " +
      "that keeps checksums (docs/S3.md)";
  }
  return there.sha256 === body.sha256 ? undefined : `its SHA-256 is ${there.sha256} and not ${body.sha256}`;
}

/** A length that an answer must have. */
export function requireSize(size: number | undefined): number {
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) {
    throw new OddAnswerError("the answer does not say how long the object is");
  }
  return size;
}

/** Listings know milliseconds, heads do not. */
export function wholeSecond(at: Date | undefined): Date {
  return new Date(Math.floor((at?.getTime() ?? 0) / 1000) * 1000);
}

/** The header x-amz-restore. */
export function parseRestore(header: string | undefined): RestoreState | undefined {
  const ongoing = /ongoing-request="(true|false)"/.exec(header ?? "")?.[1];
  if (ongoing === undefined) return undefined;
  const until = new Date(/expiry-date="([^"]+)"/.exec(header!)?.[1] ?? NaN);
  return { ongoing: ongoing === "true", ...(Number.isNaN(until.getTime()) ? {} : { until }) };
}

/** A checksum of checksums ("…-3", of parts) says nothing about the whole. */
export function sha256Of(base64: string | undefined): { sha256?: string } {
  if (base64 === undefined || !/^[A-Za-z0-9+/]{43}=$/.test(base64)) return {};
  return { sha256: Uint8Array.fromBase64(base64).toHex() };
}

/** A hash as headers have it. */
export function hexToBase64(hex: string): string {
  return Uint8Array.fromHex(hex).toBase64();
}

/** A key of a listing with EncodingType url. */
export function fromUrl(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // Not encoded after all.
    return text;
  }
}
