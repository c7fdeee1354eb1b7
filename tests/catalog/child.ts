import { Catalog, EntriesCache } from "../../lib/catalog/mod.ts";
import { brickOf, idOf, idsOf } from "./bricks.ts";

/** Another process for the tests of files. Its arguments say what to do with the database at a path; it ends when done. */
const [what = "", path = "", argument = "0"] = Deno.args;

if (what === "add") {
  const catalog = Catalog.open(path, { repository: "test" });
  for (let i = 0; i < 40; i++) {
    const number = Number(argument) * 1000 + i;
    catalog.addBricks([brickOf(number, [idOf("in all"), ...idsOf(`of ${number}`, 20)])]);
  }
  catalog.close();
}

if (what === "modes") {
  Deno.umask(parseInt(argument, 8));
  const catalog = Catalog.open(path, { repository: "test" });
  catalog.addBricks([brickOf(1, idsOf("a", 10))]);
  const entries = EntriesCache.open(`${path}-entries`, { repository: "test", form: "1" });
  entries.put(idOf("a"), new Uint8Array(10));
  // Killed here, so that the side files stay to be looked at.
  Deno.kill(Deno.pid, "SIGKILL");
}
