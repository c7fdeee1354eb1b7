/**
 * Writes a file that appears under its name only when it is whole: first beside it, then renamed. What is there and is no
 * plain file (a pipe, `/dev/stdout`) is written to as it is: renaming would replace it.
 */
export async function writeToFile<Result>(
  path: string,
  produce: (output: (bytes: Uint8Array) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const plain = await isPlainOrAbsent(path);
  const target = plain ? `${path}.new` : path;
  try {
    const result = await writeInto(await open(target), produce);
    if (plain) await Deno.rename(target, path);
    return result;
  } catch (error) {
    // It may not have come to being at all; `error` is what matters.
    if (plain) await Deno.remove(target).catch(() => {});
    throw error;
  }
}

async function writeInto<Result>(
  file: Deno.FsFile,
  produce: (output: (bytes: Uint8Array) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  try {
    return await produce(async (bytes) => {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    });
  } finally {
    file.close();
  }
}

async function isPlainOrAbsent(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, truncate: true });
  } catch (cause) {
    throw new Error(`Cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
