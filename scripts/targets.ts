/** A system that executables are released for. */
export interface Target {
  /** Deno's name for it, as `deno compile --target` takes it. */
  readonly triple: string;
  /** Our name for it, part of the released file's name. */
  readonly name: string;
}

/** All systems that executables are released for. */
export const targets: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", name: "linux-x86_64" },
  { triple: "aarch64-unknown-linux-gnu", name: "linux-arm64" },
  { triple: "x86_64-apple-darwin", name: "macos-x86_64" },
  { triple: "aarch64-apple-darwin", name: "macos-arm64" },
  { triple: "x86_64-pc-windows-msvc", name: "windows-x86_64.exe" },
];
