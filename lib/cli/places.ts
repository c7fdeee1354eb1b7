/**
 * Where things are on this machine when nobody says otherwise: the XDG directories on Linux and the like, the system's
 * own folders on macOS and Windows. XDG variables work everywhere; as their specification demands, one that is not
 * absolute is ignored.
 */
import { UsageError } from "./errors.ts";

/** What a place depends on. */
export interface Surroundings {
  /** The value of an environment variable. */
  readonly variable: (name: string) => string | undefined;
  /** `linux`, `darwin`, `windows`, … as in `Deno.build.os`. */
  readonly platform: string;
  /** The user's home as the system knows it, for when no variable tells. */
  readonly home?: () => string | undefined;
}

/** The repository: `-d`, else `$TARZAN_REPOSITORY`, else `tarzan/repository` among the user's data. */
export function repositoryPlace(around: Surroundings, given?: string): string {
  return given ?? set(around, "TARZAN_REPOSITORY") ?? under(around, "repository", {
    xdg: "XDG_DATA_HOME",
    unix: ".local/share",
    windows: "LOCALAPPDATA",
  });
}

/** The directory of catalogues, spool and what this machine remembers of repositories; `$TARZAN_STATE_DIR` overrides. */
export function statePlace(around: Surroundings): string {
  return set(around, "TARZAN_STATE_DIR") ??
    under(around, "state", { xdg: "XDG_STATE_HOME", unix: ".local/state", windows: "LOCALAPPDATA" });
}

/** The directory of pins and local key files; `$TARZAN_CONFIG_DIR` overrides. */
export function configPlace(around: Surroundings): string {
  return set(around, "TARZAN_CONFIG_DIR") ??
    under(around, "config", { xdg: "XDG_CONFIG_HOME", unix: ".config", windows: "APPDATA" });
}

interface Bases {
  readonly xdg: string;
  readonly unix: string;
  readonly windows: string;
}

function under(around: Surroundings, what: "repository" | "state" | "config", bases: Bases): string {
  const xdg = set(around, bases.xdg);
  // Data and state share a folder on macOS and Windows, so there each gets a name of its own below `tarzan`.
  if (xdg !== undefined && isAbsolute(around, xdg)) return join(around, [xdg, "tarzan", ...own(what, false)]);
  if (around.platform === "windows") {
    const base = set(around, bases.windows) ??
      home(around) + "\\AppData\\" + (bases.windows === "APPDATA" ? "Roaming" : "Local");
    return join(around, [base, "tarzan", ...own(what, true)]);
  }
  if (around.platform === "darwin") {
    return join(around, [home(around), "Library/Application Support/tarzan", ...own(what, true)]);
  }
  return join(around, [home(around), bases.unix, "tarzan", ...own(what, false)]);
}

function own(what: string, shared: boolean): string[] {
  return shared || what === "repository" ? [what] : [];
}

function home(around: Surroundings): string {
  const name = around.platform === "windows" ? "USERPROFILE" : "HOME";
  const path = set(around, name) ?? around.home?.();
  if (path !== undefined && isAbsolute(around, path)) return path;
  throw new UsageError(
    `Cannot tell where your files are: $${name} is ${
      path === undefined ? "not set" : `not an absolute path ("${path}")`
    }. ` +
      `Set it, or set TARZAN_REPOSITORY, TARZAN_STATE_DIR and TARZAN_CONFIG_DIR.`,
  );
}

/** An environment variable that is set and not empty. */
function set(around: Surroundings, name: string): string | undefined {
  return around.variable(name) || undefined;
}

function isAbsolute(around: Surroundings, path: string): boolean {
  return around.platform === "windows" ? /^([a-z]:)?[\\/]/i.test(path) : path.startsWith("/");
}

function join(around: Surroundings, parts: readonly string[]): string {
  const separator = around.platform === "windows" ? "\\" : "/";
  return parts.map((part, index) => index < parts.length - 1 ? part.replace(/[\\/]+$/, "") : part).join(separator);
}
