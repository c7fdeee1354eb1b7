/** What a service refuses, and how each of the two says so. */
import { type Answer, textBody } from "./http/answer.ts";

export type Service = "s3" | "glacier";

/** Thrown by whatever refuses a request; becomes the answer. */
export class ServiceError extends Error {
  override name = "ServiceError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
    /** More elements of S3's error document. */
    readonly details: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** The answer that tells an error as the service does: XML from S3, JSON from vaults. */
export function errorAnswer(service: Service, error: ServiceError, requestId: string): Answer {
  if (service === "s3") {
    return {
      status: error.status,
      headers: { "Content-Type": "application/xml", "x-amz-request-id": requestId, ...error.headers },
      body: textBody(errorXml(error, requestId)),
    };
  }
  const type = error.status < 500 ? "Client" : "Server";
  return {
    status: error.status,
    headers: { "Content-Type": "application/json", "x-amzn-RequestId": requestId, ...error.headers },
    body: textBody(JSON.stringify({ code: error.code, message: error.message, type })),
  };
}

/** S3's error document. */
export function errorXml(error: Pick<ServiceError, "code" | "message" | "details">, requestId: string): string {
  const elements = { Code: error.code, Message: error.message, ...error.details, RequestId: requestId };
  const inner = Object.entries(elements).map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner.join("")}</Error>`;
}

/** Text as XML has it. Control characters, which XML 1.0 has no way to say, go as references, as S3 sends them. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // deno-lint-ignore no-control-regex
  return text.replace(/[&<>"\x00-\x1f]/g, (char) => names[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}
