/** The little XML that S3 speaks: elements and text, no attributes that matter. */
import { escapeXml, ServiceError } from "../errors.ts";

/** An element's children by name, or its text. */
export interface Element {
  name: string;
  children: Element[];
  text: string;
}

const refusal = (why: string) =>
  new ServiceError(400, "MalformedXML", `The XML you provided was not well-formed or did not validate: ${why}`);

/** Reads a document whose outermost element has this name. */
export function parseXml(bytes: Uint8Array, root: string): Element {
  const text = new TextDecoder().decode(bytes);
  const top: Element = { name: "", children: [], text: "" };
  const open = [top];
  let at = 0;
  for (
    const match of text.matchAll(
      /<(?:\?[^]*?\?|!--[^]*?--|(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?))>/g,
    )
  ) {
    const inner = open.at(-1)!;
    inner.text += unescape(text.slice(at, match.index));
    at = match.index + match[0].length;
    const [, closing, name, , empty] = match;
    if (name === undefined) continue;
    if (closing) {
      if (inner.name !== name || open.length === 1) throw refusal(`</${name}> closes <${inner.name}>`);
      open.pop();
      continue;
    }
    const element = { name, children: [], text: "" };
    inner.children.push(element);
    if (!empty) open.push(element);
  }
  if (text.slice(at).trim() !== "" || open.length !== 1) throw refusal("it has an end that is missing");
  const [outermost, ...others] = top.children;
  if (outermost?.name !== root || others.length > 0) throw refusal(`it is no <${root}>`);
  return outermost;
}

/** The text of a child, trimmed; undefined when there is none. */
export function childText(element: Element, ...path: string[]): string | undefined {
  let at: Element | undefined = element;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at?.text.trim();
}

type Content = string | number | boolean | undefined | readonly Content[] | { readonly [name: string]: Content };

/** Writes a document; lists repeat their element, and what is undefined is left out. */
export function xml(root: string, content: Content): string {
  const namespace = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${inner(content)}</${root}>`;
}

function inner(content: Content): string {
  if (typeof content !== "object") return content === undefined ? "" : escapeXml(String(content));
  return Object.entries(content).map(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => one === undefined ? "" : `<${name}>${inner(one)}</${name}>`)
      .join("")
  ).join("");
}

function unescape(text: string): string {
  const names: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (hex || decimal) return String.fromCodePoint(parseInt(hex ?? decimal, hex ? 16 : 10));
    return names[name] ?? all;
  });
}
