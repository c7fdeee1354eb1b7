import assert from "node:assert/strict";
import { UsageError } from "../../lib/cli/errors.ts";
import { configPlace, repositoryPlace, statePlace, type Surroundings } from "../../lib/cli/places.ts";

function on(platform: string, variables: Record<string, string>): Surroundings {
  return { platform, variable: (name) => variables[name] };
}

function all(around: Surroundings): string[] {
  return [repositoryPlace(around), statePlace(around), configPlace(around)];
}

Deno.test("Linux uses the XDG directories under the home directory", () => {
  assert.deepEqual(all(on("linux", { HOME: "/home/ann" })), [
    "/home/ann/.local/share/tarzan/repository",
    "/home/ann/.local/state/tarzan",
    "/home/ann/.config/tarzan",
  ]);
});

Deno.test("XDG variables move each of the three", () => {
  const variables = { HOME: "/home/ann", XDG_DATA_HOME: "/d/", XDG_STATE_HOME: "/s", XDG_CONFIG_HOME: "/c" };
  const expected = ["/d/tarzan/repository", "/s/tarzan", "/c/tarzan"];
  assert.deepEqual(all(on("linux", variables)), expected);
  assert.deepEqual(all(on("darwin", variables)), expected);
});

Deno.test("an XDG variable that is empty or not absolute is ignored", () => {
  const around = on("linux", { HOME: "/home/ann", XDG_DATA_HOME: "data", XDG_STATE_HOME: "" });
  assert.equal(repositoryPlace(around), "/home/ann/.local/share/tarzan/repository");
  assert.equal(statePlace(around), "/home/ann/.local/state/tarzan");
});

Deno.test("TARZAN variables beat everything but the option", () => {
  const variables = {
    HOME: "/home/ann",
    XDG_STATE_HOME: "/s",
    TARZAN_REPOSITORY: "repo",
    TARZAN_STATE_DIR: "/state",
    TARZAN_CONFIG_DIR: "/config",
  };
  assert.deepEqual(all(on("linux", variables)), ["repo", "/state", "/config"]);
  assert.equal(repositoryPlace(on("linux", variables), "/given"), "/given");
});

Deno.test("macOS uses Application Support, with a name of its own for each", () => {
  assert.deepEqual(all(on("darwin", { HOME: "/Users/ann" })), [
    "/Users/ann/Library/Application Support/tarzan/repository",
    "/Users/ann/Library/Application Support/tarzan/state",
    "/Users/ann/Library/Application Support/tarzan/config",
  ]);
});

Deno.test("Windows uses the application data folders", () => {
  const home = { USERPROFILE: "C:\\Users\\ann" };
  const expected = [
    "C:\\Users\\ann\\AppData\\Local\\tarzan\\repository",
    "C:\\Users\\ann\\AppData\\Local\\tarzan\\state",
    "C:\\Users\\ann\\AppData\\Roaming\\tarzan\\config",
  ];
  assert.deepEqual(all(on("windows", home)), expected);
  const moved = { ...home, LOCALAPPDATA: "D:\\local\\", APPDATA: "D:\\roaming" };
  assert.deepEqual(all(on("windows", moved)), [
    "D:\\local\\tarzan\\repository",
    "D:\\local\\tarzan\\state",
    "D:\\roaming\\tarzan\\config",
  ]);
});

Deno.test("without a home directory the error says what to set, unless every place is given", () => {
  for (const variables of [{}, { HOME: "" }, { HOME: "relative" }]) {
    const around = on("linux", variables as Record<string, string>);
    assert.throws(() => statePlace(around), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /\$HOME is (not set|not an absolute path).*set TARZAN_REPOSITORY/);
      return true;
    });
  }
  assert.throws(() => statePlace(on("windows", {})), /\$USERPROFILE is not set/);
  assert.equal(statePlace(on("linux", { TARZAN_STATE_DIR: "/s" })), "/s");
});

Deno.test("without $HOME the home directory is the one that the system knows", () => {
  const around = { ...on("linux", {}), home: () => "/home/bea" };
  assert.equal(repositoryPlace(around), "/home/bea/.local/share/tarzan/repository");
  assert.equal(
    repositoryPlace({ ...around, ...on("linux", { HOME: "/home/ann" }) }),
    "/home/ann/.local/share/tarzan/repository",
  );
});
