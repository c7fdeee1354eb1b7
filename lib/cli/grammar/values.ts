/** How a word on the command line becomes a value, what to complete it with, and what to say when it is none. */
import { message, text as plain } from "@optique/core/message";
import type { NonEmptyString } from "@optique/core/nonempty";
import type { ValueParser, ValueParserResult } from "@optique/core/valueparser";
import { formatBytes, parseBytes, parsePercent } from "../units.ts";

/** Any text but an empty one, shown as `metavar` in the help. */
export function word(metavar: NonEmptyString): ValueParser<"sync", string> {
  return valueParser(metavar, { placeholder: "word", parse: (input) => input, format: (value) => value });
}

/** The name of a file, completed with files. Whether it exists is found out where it is used. */
export function file(metavar: NonEmptyString = "FILE"): ValueParser<"sync", string> {
  return { ...word(metavar), suggest: (prefix) => [{ kind: "file", type: "any", pattern: prefix }] };
}

/** The name of a directory, completed with directories. */
export function directory(metavar: NonEmptyString = "DIR"): ValueParser<"sync", string> {
  return { ...word(metavar), suggest: (prefix) => [{ kind: "file", type: "directory", pattern: prefix }] };
}

/** A size like `128MiB` within bounds, as a number of bytes. */
export function size(bounds: { readonly min: number; readonly max: number }): ValueParser<"sync", number> {
  return valueParser("SIZE", {
    placeholder: bounds.min,
    parse(input) {
      const bytes = parseBytes(input);
      if (bytes >= bounds.min && bytes <= bounds.max) return bytes;
      throw new SyntaxError(
        `${formatBytes(bytes)} is out of range: at least ${formatBytes(bounds.min)}, at most ${
          formatBytes(bounds.max)
        }`,
      );
    },
    format: (bytes) => formatBytes(bytes).replace(" ", ""),
  });
}

/** The URL of a server, as it was typed. */
export function url(): ValueParser<"sync", string> {
  return valueParser("URL", {
    placeholder: "https://example.org",
    parse(input) {
      const { protocol = "", search = "", username = "" } = URL.parse(input) ?? {};
      if (/^https?:$/.test(protocol) && search === "" && username === "") return input;
      throw new SyntaxError(`"${input}" is not the URL of a server; write for example https://s3.example.org`);
    },
    format: (value) => value,
  });
}

/** A storage class whose objects can be read at once. */
export function storageClass(): ValueParser<"sync", string> {
  return valueParser("CLASS", {
    placeholder: "STANDARD",
    parse(input) {
      const name = input.toUpperCase().replaceAll("-", "_");
      if (!/^[A-Z][A-Z0-9_]{1,40}$/.test(name)) {
        throw new SyntaxError(
          `"${input}" is not a storage class; write for example STANDARD, STANDARD_IA or GLACIER_IR`,
        );
      }
      if (name !== "GLACIER" && name !== "DEEP_ARCHIVE") return name;
      throw new SyntaxError(
        `What is in class ${name} can be read only hours after it was asked for, and a repository must be readable. ` +
          "Cold storage is a second place, beside it",
      );
    },
    format: (value) => value,
  });
}

/** A place for cold storage, as it was typed; whether it is one is found out where it is used. */
export function coldPlace(): ValueParser<"sync", string> {
  return valueParser("PLACE", {
    placeholder: "glacier://us-east-1/vault",
    parse(input) {
      if (/^(s3|glacier):\/\/[!-~]+$/i.test(input)) return input;
      throw new SyntaxError(
        `"${input}" is no place for cold storage; write s3://BUCKET/PREFIX?class=DEEP_ARCHIVE or glacier://REGION/VAULT`,
      );
    },
    format: (value) => value,
  });
}

/** The id of a repository, as recovery sheets have it. */
export function repositoryId(): ValueParser<"sync", string> {
  return valueParser("ID", {
    placeholder: "0".repeat(32),
    parse(input) {
      if (/^[0-9a-f]{32}$/i.test(input)) return input.toLowerCase();
      throw new SyntaxError(`"${input}" is not the id of a repository: it has 32 digits from 0 to f`);
    },
    format: (value) => value,
  });
}

/** A whole number within bounds. */
export function number(bounds: { readonly min: number; readonly max: number }): ValueParser<"sync", number> {
  return valueParser("N", {
    placeholder: bounds.min,
    parse(input) {
      const value = /^\d{1,9}$/.test(input) ? Number(input) : NaN;
      if (value >= bounds.min && value <= bounds.max) return value;
      throw new SyntaxError(`"${input}" is not a whole number from ${bounds.min} to ${bounds.max}`);
    },
    format: String,
  });
}

/** An amount of money in USD: `5`, `0.50`. */
export function money(): ValueParser<"sync", number> {
  return valueParser("USD", {
    placeholder: 1,
    parse(input) {
      if (/^\d{1,9}(\.\d{1,6})?$/.test(input)) return Number(input);
      throw new SyntaxError(`"${input}" is not an amount of USD; write for example 5 or 0.50`);
    },
    format: String,
  });
}

/** A percentage like `10%`, as a number above 0 and at most 100. */
export function percent(): ValueParser<"sync", number> {
  return valueParser("PERCENT", { placeholder: 100, parse: parsePercent, format: (value) => `${value}%` });
}

interface ValueRules<T> {
  readonly placeholder: T;
  /** Throws a SyntaxError whose message is for the user. */
  readonly parse: (input: string) => T;
  readonly format: (value: T) => string;
}

function valueParser<T>(metavar: NonEmptyString, rules: ValueRules<T>): ValueParser<"sync", T> {
  return {
    mode: "sync",
    metavar,
    placeholder: rules.placeholder,
    parse(input): ValueParserResult<T> {
      if (input === "") return { success: false, error: message`there is nothing where ${plain(metavar)} should be` };
      try {
        return { success: true, value: rules.parse(input) };
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        return { success: false, error: [plain(error.message)] };
      }
    },
    format: rules.format,
  };
}
