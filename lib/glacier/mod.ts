/** What cold storage asks for: its checksum. */
export { LEAF_BYTES, TreeHasher } from "./tree_hash.ts";
