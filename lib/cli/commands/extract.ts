import { extract, type ExtractResult } from "../../verbs/mod.ts";
import { incompleteCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCounted } from "../units.ts";
import { requireSuccess, unpackWithTar } from "./system_tar.ts";
import { tarOutput } from "./tar_output.ts";

/** `tarzan extract`: 3 when the backup itself is incomplete, so that nobody takes a part for the whole. */
export async function performExtract(request: RequestOf<"extract">, session: Session): Promise<number> {
  const { to, json } = request;
  const result = to === undefined ? await toOutput(request, session) : await unpack(request, session, to);
  session.progress.done();
  if (json && to === undefined) session.tell(extractedJson(result));
  else if (json) session.stdout.print(extractedJson(result));
  else if (to !== undefined) session.note(unpackedSentence(result, to));
  return result.incomplete === undefined ? 0 : incompleteCode;
}

async function toOutput({ backup, paths, cold }: RequestOf<"extract">, session: Session): Promise<ExtractResult> {
  const output = tarOutput(
    session.stdout,
    "Pipe it (tarzan extract | tar x), write it to a file (> backup.tar), or unpack it with --to DIR.",
  );
  return await extract(session, { snapshot: backup, paths, output, cold });
}

async function unpack(
  { backup, paths, cold }: RequestOf<"extract">,
  session: Session,
  to: string,
): Promise<ExtractResult> {
  const environment = session.childEnvironment();
  const { result, code } = await unpackWithTar(
    { directory: to, environment },
    (output) => extract(session, { snapshot: backup, paths, output, cold }),
  );
  // Of a tar that is cut short, tar complains with reason.
  if (result.incomplete === undefined) requireSuccess({ code, signal: null }, to);
  return result;
}

/** What was unpacked, for people. */
export function unpackedSentence({ snapshot, bytes, entries }: ExtractResult, to: string): string {
  const what = entries === undefined ? "" : `${formatCounted(entries, "entry", "entries")} of `;
  return `Unpacked ${what}snapshot ${snapshot} into ${to} (${formatBytes(bytes)}).`;
}

/** What was extracted as JSON, schema `tarzan.extract/1`. */
export function extractedJson({ snapshot, bytes, entries, incomplete }: ExtractResult): string {
  return jsonLine("tarzan.extract/1", { snapshot, bytes, entries, complete: incomplete === undefined, incomplete });
}
