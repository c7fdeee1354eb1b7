import { refuseSeededRandomness } from "../../crypto/mod.ts";
import { init, type InitResult } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import { printable } from "../printable.ts";
import type { Session } from "../session.ts";
import { passphraseNotice } from "./passphrase_notice.ts";

/** `tarzan init`: the recovery sheet goes to standard output, so that it can be sent to a printer. */
export async function performInit(request: RequestOf<"init">, session: Session): Promise<number> {
  refuseSeededRandomness();
  const result = await init(session, request);
  if (request.json) {
    session.stdout.print(foundedJson(result));
    return 0;
  }
  session.stdout.print(printable(result.sheet));
  if (result.passphrase !== undefined) session.tell(passphraseNotice(result.passphrase));
  return 0;
}

/** A new repository as JSON, schema `tarzan.init/1`. */
export function foundedJson({ repository, location, cold, slots, code, passphrase, sheet }: InitResult): string {
  return jsonLine("tarzan.init/1", { repository, location, cold, slots, code, passphrase, sheet });
}
