import { detach } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatCounted } from "../units.ts";
import { writeToFile } from "./file_output.ts";
import { tarOutput } from "./tar_output.ts";

/** `tarzan detach`. */
export async function performDetach({ backup, out, json }: RequestOf<"detach">, session: Session): Promise<number> {
  const { snapshot, entries } = out === undefined
    ? await detach(session, { snapshot: backup, output: tarOutput(session.stdout, "Pipe it or give --out FILE.") })
    : await writeToFile(out, (output) => detach(session, { snapshot: backup, output }));
  session.progress.done();
  const object = jsonLine("tarzan.detach/1", { snapshot, entries, out });
  if (json && out === undefined) session.tell(object);
  else if (json) session.stdout.print(object);
  else if (out !== undefined) {
    session.note(`Wrote ${formatCounted(entries, "entry", "entries")} of snapshot ${snapshot} to ${out}.`);
  }
  return 0;
}
