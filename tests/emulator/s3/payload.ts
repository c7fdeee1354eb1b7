/** A body on its way in: unframed, hashed as its headers ask, stored, and refused when a checksum does not fit. */
import { Buffer } from "node:buffer";
import type { Body } from "../bodies.ts";
import { type Call, header } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { readAuthorization, signingKey } from "../signature.ts";
import { unframed } from "./aws_chunked.ts";
import { type Checksum, checksumHeader, type ChecksumName, checksumNames, type Hasher, hasher } from "./checksums.ts";

/** A body that arrived whole and right. */
export interface Payload {
  body: Body;
  /** Raw. */
  md5: Uint8Array;
  /** The checksum that the client sent, or CRC64NVME as S3 adds it by itself; undefined on a server that loses them. */
  checksum: Checksum | undefined;
}

const longest = 5 * 1024 ** 3;
const digestOrBad = (code: string, name: string) =>
  new ServiceError(400, code, `The ${name} you specified did not match what we received.`);

/** Takes in the body of a PutObject or UploadPart. */
export async function takePayload(call: Call): Promise<Payload> {
  const { hostile, bodies } = call.surroundings;
  const careless = hostile.has("loses-checksum");
  const framing = framingOf(call);
  const promised = promisedChecksum(call);
  const chosen = promised?.name ?? "CRC64NVME";
  const hashers = new Map<ChecksumName | "MD5", Hasher>([["MD5", hasher("MD5")]]);
  if (!careless) hashers.set(chosen, hasher(chosen));
  const isHashSigned = /^[0-9a-f]{64}$/.test(call.payloadHash);
  if (isHashSigned) hashers.set("SHA256", hashers.get("SHA256") ?? hasher("SHA256"));
  const trailers = new Map<string, string>();
  const writer = bodies();
  let length = 0;
  try {
    for await (const piece of framing.unframe(received(call), (name, value) => trailers.set(name, value))) {
      for (const one of hashers.values()) one.update(piece);
      length += piece.length;
      if (length > longest) throw tooLarge();
      writer.write(piece);
    }
    if (framing.length !== undefined && length !== framing.length) {
      throw new ServiceError(400, "IncompleteBody", `The body has ${length} bytes, ${framing.length} were announced`);
    }
    const digests = new Map([...hashers].map(([name, one]) => [name, one.digest()]));
    const base64 = (name: ChecksumName | "MD5") => Buffer.from(digests.get(name)!).toString("base64");
    if (isHashSigned && Buffer.from(digests.get("SHA256")!).toString("hex") !== call.payloadHash) {
      throw digestOrBad("XAmzContentSHA256Mismatch", "'x-amz-content-sha256' header");
    }
    const contentMd5 = header(call, "content-md5");
    if (contentMd5 !== undefined && contentMd5 !== base64("MD5")) throw digestOrBad("BadDigest", "Content-MD5");
    const wanted = promised?.value ?? (promised && trailers.get(checksumHeader(promised.name)));
    if (promised && !careless && framing.isRead) {
      if (wanted === undefined) throw new ServiceError(400, "MalformedTrailerError", "The promised trailer is missing");
      if (wanted !== base64(promised.name)) throw digestOrBad("BadDigest", promised.name);
    }
    const checksum: Checksum | undefined = careless
      ? undefined
      : { name: chosen, value: base64(chosen), type: "FULL_OBJECT" };
    return { body: writer.end(), md5: digests.get("MD5")!, checksum };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

async function* received(call: Call): AsyncGenerator<Uint8Array> {
  for (let piece; (piece = await call.request.body.read()) !== undefined;) yield piece;
}

/** How a body is framed, and how long it is without that. */
function framingOf(call: Call) {
  const { body } = call.request;
  const isFramed = call.payloadHash.startsWith("STREAMING-");
  type Unframe = (
    source: AsyncIterable<Uint8Array>,
    onTrailer: (name: string, value: string) => void,
  ) => AsyncIterable<Uint8Array>;
  if (!isFramed) {
    if (/\baws-chunked\b/.test(header(call, "content-encoding") ?? "")) {
      throw new ServiceError(
        400,
        "InvalidRequest",
        "Content-Encoding aws-chunked without x-amz-content-sha256 STREAMING-…",
      );
    }
    if (body.isChunked) {
      const meaning = "A header you provided implies functionality that is not implemented: Transfer-Encoding";
      throw new ServiceError(501, "NotImplemented", meaning);
    }
    if (body.announcedLength === undefined) throw noLength();
    if (body.announcedLength > longest) throw tooLarge();
    const unframe: Unframe = (source) => source;
    return { unframe, length: body.announcedLength, isRead: true };
  }
  if (call.surroundings.hostile.has("stores-aws-chunked")) {
    const unframe: Unframe = (source) => source;
    return { unframe, length: undefined, isRead: false };
  }
  const length = header(call, "x-amz-decoded-content-length");
  if (length === undefined || !/^[0-9]+$/.test(length)) throw noLength();
  const signing = signingOf(call);
  const unframe: Unframe = (source, onTrailer) => unframed(source, signing ? { signing, onTrailer } : { onTrailer });
  return { unframe, length: Number(length), isRead: true };
}

const tooLarge = () => new ServiceError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
const noLength = () =>
  new ServiceError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");

/** With what the chunks must be signed; undefined: they are not. */
function signingOf(call: Call) {
  if (call.payloadHash === "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return undefined;
  if (call.payloadHash !== "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    throw new ServiceError(501, "NotImplemented", `The emulator does not know ${call.payloadHash}`);
  }
  const authorization = readAuthorization(header(call, "authorization") ?? "")!;
  const { date, region, service, signature } = authorization;
  return {
    key: signingKey(call.user.secretAccessKey, authorization),
    at: header(call, "x-amz-date") ?? "",
    scope: `${date}/${region}/${service}/aws4_request`,
    seed: signature,
  };
}

/** The checksum that the headers tell, or promise as a trailer. */
export function promisedChecksum(call: Call): { name: ChecksumName; value: string | undefined } | undefined {
  const found = checksumNames.filter((name) => header(call, checksumHeader(name)) !== undefined);
  const trailer = header(call, "x-amz-trailer")?.trim().toLowerCase();
  const trailing = checksumNames.filter((name) => checksumHeader(name) === trailer);
  const announced = (header(call, "x-amz-sdk-checksum-algorithm") ?? header(call, "x-amz-checksum-algorithm"))
    ?.toUpperCase();
  const [name, ...others] = [...found, ...trailing];
  const unknown = [...call.request.headers.keys()].filter((name) =>
    /^x-amz-checksum-(?!mode|type|algorithm)/.test(name) && !checksumNames.some((one) => checksumHeader(one) === name)
  );
  if (unknown.length > 0) throw new ServiceError(501, "NotImplemented", `The emulator does not know ${unknown[0]}`);
  if (others.length > 0) {
    throw new ServiceError(
      400,
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  if (name === undefined) {
    if (header(call, "x-amz-sdk-checksum-algorithm") !== undefined && call.log.operation !== "CreateMultipartUpload") {
      throw new ServiceError(
        400,
        "InvalidRequest",
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      );
    }
    return undefined;
  }
  if (announced !== undefined && announced !== name) {
    throw new ServiceError(400, "InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return { name, value: header(call, checksumHeader(name)) };
}

/** Whether the request brings what S3 asks of a PUT with a lock: Content-MD5 or a named checksum algorithm. */
export function bringsIntegrity(call: Call): boolean {
  return header(call, "content-md5") !== undefined || header(call, "x-amz-sdk-checksum-algorithm") !== undefined;
}

/** Reads a small document, checked like a body. */
export async function takeDocument(call: Call): Promise<Uint8Array> {
  const payload = await takePayload({ ...call, surroundings: { ...call.surroundings, hostile: new Set() } });
  if (payload.body.length > 2 * 1024 ** 2) throw new ServiceError(400, "MalformedXML", "The document is too long");
  const pieces = await Array.fromAsync(payload.body.read(0, payload.body.length), (piece) => piece.slice());
  payload.body.drop();
  return Buffer.concat(pieces);
}
