/**
 * Where bricks sleep, as people write it:
 *
 *     s3://bucket/prefix?class=DEEP_ARCHIVE[&endpoint=URL][&region=REGION]
 *     glacier://region/vault[?endpoint=URL]
 */
import { type BucketPlace, parseBucketLocation } from "../store/mod.ts";
import type { ColdClass } from "./cold.ts";

export type ColdPlace =
  | { kind: "bucket"; class: ColdClass; place: BucketPlace }
  | { kind: "vault"; region: string; vault: string; endpoint: URL };

const classes: readonly ColdClass[] = ["STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
const shapes = `write s3://BUCKET/PREFIX?class=DEEP_ARCHIVE (or ${classes.slice(0, -1).join(", ")}), or ` +
  "glacier://REGION/VAULT for a vault of Amazon Glacier";

/** Whether a text means a cold store, rightly written or not. */
export function isColdLocation(text: string): boolean {
  return /^glacier:\/\//i.test(text) || (/^s3:\/\//i.test(text) && /[?&]class=/i.test(text));
}

/** Reads where a cold store is; the error's message says what would have been right. */
export function parseColdLocation(text: string): ColdPlace {
  const [, kind = "", rest = "", search = ""] = /^(s3|glacier):\/\/([^?#]*)(?:\?([^#]*))?$/i.exec(text) ?? [];
  const options = new URLSearchParams(search);
  const wrong = (why: string) => new Error(`"${text}" is no place for cold storage: ${why}; ${shapes}`);
  const known = kind.toLowerCase() === "s3" ? ["class", "endpoint", "region"] : ["endpoint"];
  for (const name of options.keys()) {
    if (!known.includes(name)) throw wrong(`it has an option "${name}" that is not known`);
    if (options.getAll(name).length > 1) throw wrong(`it has "${name}" twice`);
  }
  const endpoint = endpointOf(options.get("endpoint"), wrong);
  if (kind.toLowerCase() === "s3") {
    const name = options.get("class")?.toUpperCase();
    const storageClass = classes.find((each) => each === name);
    if (storageClass === undefined) throw wrong(name === undefined ? "it has no class" : `there is no class "${name}"`);
    const region = options.get("region");
    if (region !== null) requireRegion(region, wrong);
    const place = {
      ...parseBucketLocation(`s3://${rest}`),
      ...(endpoint && { endpoint: endpoint.href.replace(/\/$/, "") }),
      ...(region !== null && { region }),
    };
    return { kind: "bucket", class: storageClass, place };
  }
  const [, region = "", vault = ""] = /^([^/]*)\/([^/]*)\/?$/.exec(rest) ?? [];
  if (kind === "" || region === "") throw wrong("it is not written like one");
  requireRegion(region, wrong);
  if (!/^[A-Za-z0-9_.-]{1,255}$/.test(vault) || /^\.+$/.test(vault)) {
    throw wrong(`"${vault}" is not the name of a vault`);
  }
  return { kind: "vault", region, vault, endpoint: endpoint ?? vaultEndpoint(region) };
}

function vaultEndpoint(region: string): URL {
  return new URL(`https://glacier.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`);
}

function requireRegion(region: string, wrong: (why: string) => Error): void {
  if (!/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/.test(region)) {
    throw wrong(`"${region}" is not a region such as us-east-1`);
  }
}

function endpointOf(text: string | null, wrong: (why: string) => Error): URL | undefined {
  if (text === null) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url?.username === "" && url.password === "" && url.pathname === "/" && url.search + url.hash === "";
  if (!plain || !/^https?:$/.test(url!.protocol)) {
    throw wrong(`"${text}" is not an endpoint such as https://s3.example.org`);
  }
  return url;
}
