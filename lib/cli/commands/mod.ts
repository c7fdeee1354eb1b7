/**
 * A file a command: its request becomes a call of its verb, the result becomes text or JSON and an exit code. A command
 * is loaded when it is named, since loading all of TARzan takes longer than printing its help.
 */
import type { Request } from "../grammar/mod.ts";
import type { Session } from "../session.ts";

/** Carries out one request; the answer is the exit code. */
export async function perform(request: Request, session: Session): Promise<number> {
  switch (request.command) {
    case "init":
      return await (await import("./init.ts")).performInit(request, session);
    case "create":
      return await (await import("./create.ts")).performCreate(request, session);
    case "extract":
      return await (await import("./extract.ts")).performExtract(request, session);
    case "list":
      return await (await import("./list.ts")).performList(request, session);
    case "verify":
      return await (await import("./verify.ts")).performVerify(request, session);
    case "glacier-upload":
      return await (await import("./glacier_upload.ts")).performGlacierUpload(request, session);
    case "plan":
      return await (await import("./plan.ts")).performPlan(request, session);
    case "thaw":
      return await (await import("./thaw.ts")).performThaw(request, session);
    case "cost":
      return await (await import("./cost.ts")).performCost(request, session);
    case "drill":
      return await (await import("./drill.ts")).performDrill(request, session);
    case "bricks":
      return await (await import("./bricks.ts")).performBricks(request, session);
    case "rebuild":
      return await (await import("./rebuild.ts")).performRebuild(request, session);
    case "inspect":
      return await (await import("./inspect.ts")).performInspect(request, session);
    case "checksum":
      return await (await import("./checksum.ts")).performChecksum(request, session);
    case "detach":
      return await (await import("./detach.ts")).performDetach(request, session);
    case "key add":
      return await (await import("./key_add.ts")).performKeyAdd(request, session);
    case "key list":
      return await (await import("./key.ts")).performKeyList(request, session);
    case "key remove":
      return await (await import("./key.ts")).performKeyRemove(request, session);
    case "key passwd":
      return await (await import("./key.ts")).performKeyPasswd(request, session);
    case "key show":
      return await (await import("./key.ts")).performKeyShow(request, session);
  }
}
