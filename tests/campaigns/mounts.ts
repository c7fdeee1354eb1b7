/** Small disks: a tmpfs for as long as a play lasts. Only root on Linux may have one. */
import type { Scene } from "./scene.ts";
import { SkippedError } from "./tally.ts";

/** A disk that can be filled up and made read-only. */
export interface Disk {
  /** Mounts it again with other options, such as `ro` or `size=64m`. */
  change(options: string): Promise<void>;
}

/** Mounts a disk at a new folder. Throws SkippedError where that is not allowed. */
export async function mountDisk(path: string, options: { size: string; scene: Scene }): Promise<Disk> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) throw new SkippedError("only root on Linux can mount a disk");
  await Deno.mkdir(path);
  const problem = await system("mount", "-t", "tmpfs", "-o", `size=${options.size}`, "tmpfs", path);
  if (problem !== "") throw new SkippedError(`no disk can be mounted here: ${problem}`);
  options.scene.cleanUp.push(async () => {
    const left = await system("umount", path);
    if (left !== "") throw new Error(`Cannot unmount ${path}: ${left}`);
  });
  return {
    async change(words) {
      const problem = await system("mount", "-o", `remount,${words}`, path);
      if (problem !== "") throw new Error(`Cannot mount ${path} again with ${words}: ${problem}`);
    },
  };
}

/** Runs a program of the system; what it said when it failed. */
async function system(program: string, ...args: string[]): Promise<string> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return success ? "" : new TextDecoder().decode(stderr).trim() || "it failed";
}
