/** `create --init`: the repository is made first where there is none, and the backup goes on with the same secrets. */
import { init, isFounded } from "../../verbs/mod.ts";
import { UsageError } from "../errors.ts";
import type { RequestOf } from "../grammar/mod.ts";
import type { Secrets } from "../secrets.ts";
import type { Session } from "../session.ts";
import { foundedJson } from "./init.ts";
import { passphraseNotice } from "./passphrase_notice.ts";

type Founding = NonNullable<RequestOf<"create">["founding"]>;

/**
 * Makes the repository unless there is one; the secrets to open it with. The sheet and a generated passphrase are shown
 * before the backup begins: they must not be lost when that fails.
 */
export async function foundIfMissing(
  founding: Founding,
  session: Session,
  { json }: { readonly json: boolean },
): Promise<Secrets> {
  if (await isFounded(session)) return session.secrets;
  if (founding.passphraseChoice === "none" && session.secrets.identities.length === 0) {
    throw new UsageError(
      "With --no-passphrase only the recipients can open the new repository: give one's age identity with --identity, " +
        'or make the repository with "tarzan init" first.',
    );
  }
  const result = await init(session, founding);
  const { passphrase } = result;
  if (json) session.tell(foundedJson(result));
  else {
    session.tell(`${result.sheet}\n`);
    if (passphrase !== undefined) session.tell(passphraseNotice(passphrase));
  }
  return passphrase === undefined
    ? session.secrets
    : { ...session.secrets, passphrase: () => Promise.resolve(passphrase) };
}
