/** What stands in the expected.json of a golden repository. */
export interface Expected {
  /** Opens its slots. */
  readonly passphrase: string;
  /** The key file of the machine that wrote into the domain "web". */
  readonly webKey: string;
  /** The text of tarzan.json. */
  readonly config: string;
  readonly snapshots: readonly ExpectedSnapshot[];
}

/** A snapshot, and the tar that it gives back: the first `bytes` bytes of tars/<tar>.tar.zst. */
export interface ExpectedSnapshot {
  readonly name: string;
  readonly snapshot: string;
  readonly complete: boolean;
  readonly entries: number;
  readonly bytes: number;
  readonly tar: string;
}
