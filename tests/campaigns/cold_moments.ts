/**
 * The moments at which runs that use cold storage are killed. By time alone nearly all of them would be in the middle of a
 * transfer; what is delicate lies between two requests, so with the emulator most moments are told by its log: while some
 * request is being served, or just after it was done and before the client can have written that down.
 */
import type { ColdSite } from "./cold_site.ts";
import { type Numbers, oneOf } from "./numbers.ts";
import type { Running } from "./running.ts";

/**
 * Kills a run, after `mostMs` at the latest or when `most` objects are there; when that was, as a remark. A run may be over
 * before.
 */
export async function killSomewhere(
  { target, name }: ColdSite,
  { run, next, mostMs, most }: { run: Running; next: Numbers; mostMs: number; most: number },
): Promise<string> {
  const { emulator } = target;
  let over = false;
  void run.gone.then(() => over = true);
  const isOver = () => over;
  if (emulator === undefined || next(4) === 0) {
    const afterMs = next(Math.ceil(mostMs));
    await sleepUnless(isOver, afterMs);
    run.kill("SIGKILL");
    return `${afterMs} ms`;
  }
  const before = emulator.requests.length;
  const since = () => emulator.requests.slice(before);
  const operation = oneOf(
    next,
    target.isVault
      ? ["UploadMultipartPart", "CompleteMultipartUpload", "InitiateMultipartUpload"]
      : ["PutObject", "HeadObject"],
  );
  const nth = 1 + next(most);
  const isDone = next(2) === 0;
  // What is asked for is held back a little, so that there is a moment before it is done.
  const held = target.isVault ? "*MultipartUpload" : operation;
  if (target.isVault || !isDone) emulator.faults.add({ action: "delay", operation: held, delayMs: 150 });
  if (target.isVault) emulator.faults.add({ action: "delay", operation: "UploadMultipartPart", delayMs: 150 });
  const isThere = () => {
    const asked = since().filter((request) => request.operation === operation);
    return (isDone ? asked.filter(({ status }) => status >= 200 && status < 300) : asked).length >= nth;
  };
  await until(() => over || isThere(), mostMs);
  const came = isThere() ? "" : "still no ";
  const moreMs = next(120);
  await sleepUnless(isOver, moreMs);
  run.kill("SIGKILL");
  await run.gone;
  emulator.faults.clear();
  // What the dead client had sent is still being taken in.
  if (target.isVault) {
    await until(
      () => since().every(({ vault, status, fault }) => vault !== name || status !== 0 || fault !== "delay"),
      1000,
    );
  }
  return `${came}${nth}. ${operation} ${isDone ? "done" : "asked"} + ${moreMs} ms`;
}

async function until(isSo: () => boolean, mostMs = Infinity): Promise<void> {
  for (const endMs = performance.now() + mostMs; !isSo() && performance.now() < endMs;) await sleep(2);
}

async function sleepUnless(isOver: () => boolean, ms: number): Promise<void> {
  for (const endMs = performance.now() + ms; !isOver() && performance.now() < endMs;) await sleep(5);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
