/** Version of the tables below; a file of another version is begun anew, never converted. */
export const schemaVersion = 5;

/**
 * The catalogue's tables. A brick's chunk list is cut into segments of `segmentLength` chunks, so that finding one chunk
 * of a brick with a hundred thousand small ones loads a bounded part of its list; most bricks have one segment. `chunks`
 * is the only large index, 16 bytes a row: prefix of the id -> segment. Where several segments hold ids with one
 * prefix (the same chunk stored twice, or chance), `chunks` says 0 and `also` names all of them. In `excluded` an empty
 * domain means every one.
 */
export const schema = `
  CREATE TABLE bricks(
    number INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL, domain BLOB NOT NULL, kind TEXT NOT NULL,
    bytes INTEGER NOT NULL, tree_hash BLOB NOT NULL, ledger_object TEXT NOT NULL, position INTEGER NOT NULL,
    chunk_count INTEGER NOT NULL, first_segment INTEGER NOT NULL, UNIQUE(name, domain));
  CREATE INDEX bricks_in_order ON bricks(ledger_object, position, name);
  CREATE TABLE blocks(brick INTEGER PRIMARY KEY, list BLOB NOT NULL);
  CREATE TABLE segments(number INTEGER PRIMARY KEY AUTOINCREMENT, brick INTEGER NOT NULL, first INTEGER NOT NULL,
    list BLOB NOT NULL);
  CREATE TABLE chunks(prefix INTEGER PRIMARY KEY, segment INTEGER NOT NULL);
  CREATE TABLE also(prefix INTEGER NOT NULL, segment INTEGER NOT NULL, PRIMARY KEY(prefix, segment)) WITHOUT ROWID;
  CREATE INDEX also_of_segment ON also(segment);
  CREATE TABLE excluded(reason TEXT NOT NULL, name BLOB NOT NULL, domain BLOB NOT NULL, blocks BLOB,
    PRIMARY KEY(reason, name, domain)) WITHOUT ROWID;
  CREATE TABLE placed(number INTEGER PRIMARY KEY AUTOINCREMENT, domain BLOB NOT NULL, location TEXT NOT NULL,
    handle TEXT NOT NULL, class TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 BLOB NOT NULL, tree_hash BLOB NOT NULL,
    placed_at INTEGER NOT NULL, UNIQUE(domain, location, handle, bytes, sha256, tree_hash, class));
  CREATE TABLE lost(domain BLOB NOT NULL, location TEXT NOT NULL, handle TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY(domain, location, handle)) WITHOUT ROWID;
  CREATE TABLE placed_bricks(name BLOB NOT NULL, placed INTEGER NOT NULL, kind TEXT NOT NULL, offset INTEGER NOT NULL,
    bytes INTEGER NOT NULL, PRIMARY KEY(name, placed, offset, bytes)) WITHOUT ROWID;
  CREATE TABLE cursors(domain BLOB PRIMARY KEY, ledger_object TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE seen_ledger(name TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE opened_indexes(name TEXT PRIMARY KEY, text TEXT NOT NULL);
`;

/** Chunks in a segment; the last one of a brick may have fewer. */
export const segmentLength = 1024;
