import { systemCode } from "./disk_errors.ts";

/**
 * The few file-system steps that make a write survive a power loss, and that close it to other users. A file is durable
 * when it was fsynced *and* the folder that names it was; a new folder is named by its parent, and so on upwards.
 * See "All File Systems Are Not Created Equal" (Pillai et al., OSDI'14) for what happens to those who leave one out.
 */
const onWindows = Deno.build.os === "windows";

/** File systems without modes, links or folder fsync (FAT, some network mounts) say so with one of these. */
const unsupportedCodes = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK"];

/** Mode of every file of ours, whatever the umask says. */
export const fileMode = 0o600;

/** Mode of every folder of ours. */
export const folderMode = 0o700;

/** Whether the file system said that it has no such feature, as opposed to: it failed. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof Deno.errors.NotSupported || unsupportedCodes.includes(systemCode(error));
}

/** Sets a mode exactly: `open` and `mkdir` let the umask take bits away. Where there are no modes, there is nothing to set. */
export async function setMode(path: string, mode: number): Promise<void> {
  if (onWindows) return;
  const before = await Deno.lstat(path);
  if (before.mode !== null && (before.mode & 0o777) === mode) return;
  try {
    await Deno.chmod(path, mode);
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}

/** Makes the names in a folder durable. Windows has no such call, its file systems journal names themselves. */
export async function syncFolder(path: string): Promise<void> {
  if (onWindows) return;
  using folder = await Deno.open(path, { read: true });
  try {
    await folder.sync();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}

/**
 * Makes one folder inside an existing one, durable and closed to others; fine if it is there already. The parent is
 * synced even then: whoever made the folder may not have come to that yet, and our object is about to lean on it.
 */
export async function makeFolder(path: string, parent: string): Promise<void> {
  try {
    await Deno.mkdir(path, { mode: folderMode });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!(await isRealFolder(path))) throw error;
  }
  await setMode(path, folderMode);
  await syncFolder(parent);
}

/** Whether a folder is there. Throws if a symbolic link is in its place: it could lead out of the repository. */
export async function isRealFolder(path: string): Promise<boolean> {
  let there;
  try {
    there = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
  if (there.isSymlink) throw new Error(`${path} is a symbolic link; the folders of a repository must be real ones`);
  return there.isDirectory;
}

/** Writes all of `bytes`; the system may take fewer at a time. */
export async function writeWhole(
  file: Pick<Deno.FsFile, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/**
 * Gives a finished file its name unless that is taken, as one step: a hard link, which fails where a rename would
 * replace. Returns whether the name was free. Where there are no hard links, a lock that all our processes take
 * (`lockPath`) stands in. The temporary file stays when it was linked, so that the step may be repeated.
 */
export async function publishOnce(
  temporary: string,
  final: string,
  options: { lockPath: string; link?: (from: string, to: string) => Promise<void> },
): Promise<boolean> {
  try {
    await (options.link ?? Deno.link)(temporary, final);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (!isUnsupported(error)) throw error;
  }
  using lock = await Deno.open(options.lockPath, { write: true, create: true, mode: fileMode });
  await setMode(options.lockPath, fileMode);
  await lock.lock(true);
  if (await exists(final)) return false;
  await Deno.rename(temporary, final);
  return true;
}

/** Writes a small file and brings it to the disk; its name is the caller's to sync. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: fileMode });
  await setMode(path, fileMode);
  await writeWhole(file, bytes);
  await file.sync();
}

/** Removes a file that may be gone already. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether anything is at this path, a dangling link too. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
