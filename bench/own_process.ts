/** Parts of the bench in processes of their own, so that their memory and their start are their own. */

/** How Deno runs TARzan, in the task of deno.json and in executables as well. */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100";

/** Runs a file of the bench with these words; what it printed. `what` names it where it fails. */
export async function ownProcess(url: string, words: string[], what: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", V8_FLAGS, url, ...words],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${what} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
