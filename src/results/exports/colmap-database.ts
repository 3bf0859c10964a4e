/**
 * The SQLite database of COLMAP 3.8 (https://colmap.github.io/database.html, and what its `database_creator` makes), with the
 * cameras and images of an export in it: COLMAP's later steps then keep these ids. Newer versions of COLMAP upgrade it.
 */
import { createForeign, type Store } from '../../store/sqlite.ts'
import { assumedFocalPx } from './assumed-focal.ts'

export interface ColmapImage {
  name: string
  width: number
  height: number
}

/** COLMAP numbers its schemas like its releases: 3.8. */
const SCHEMA_VERSION = 3800
/** Ids of images are below it: pairs are stored as one number. */
const MAX_IMAGE_ID = 2147483647

const schema = `
  CREATE TABLE cameras (camera_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, model INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, params BLOB, prior_focal_length INTEGER NOT NULL);
  CREATE TABLE images (image_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL UNIQUE,
    camera_id INTEGER NOT NULL, prior_qw REAL, prior_qx REAL, prior_qy REAL, prior_qz REAL,
    prior_tx REAL, prior_ty REAL, prior_tz REAL,
    CONSTRAINT image_id_check CHECK(image_id >= 0 and image_id < ${MAX_IMAGE_ID}),
    FOREIGN KEY(camera_id) REFERENCES cameras(camera_id));
  CREATE UNIQUE INDEX index_name ON images(name);
  CREATE TABLE keypoints (image_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB,
    FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE);
  CREATE TABLE descriptors (image_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB,
    FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE);
  CREATE TABLE matches (pair_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB);
  CREATE TABLE two_view_geometries (pair_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL,
    data BLOB, config INTEGER NOT NULL, F BLOB, E BLOB, H BLOB, qvec BLOB, tvec BLOB);
  PRAGMA user_version = ${SCHEMA_VERSION}`

/** Writes the file, which must not exist. Images get the ids 1, 2, 3 … in their order; those of one size share a camera. */
export function writeColmapDatabase(path: string, images: readonly ColmapImage[]): void {
  using database = createForeign(path, schema)
  database.transaction('write', () => {
    const cameras = new Map<string, number>()
    const insert = database.prepare('INSERT INTO images (image_id, name, camera_id) VALUES (?, ?, ?)')
    for (const [index, { name, width, height }] of images.entries()) {
      const size = `${width}x${height}`
      const camera = cameras.get(size) ?? insertCamera(database, width, height)
      cameras.set(size, camera)
      insert.run(index + 1, name, camera)
    }
  })
}

/** COLMAP's default model: focal length, principal point, one radial term. Few pictures determine no more. */
const SIMPLE_RADIAL = 2

function insertCamera(database: Store, width: number, height: number): number {
  const params = Buffer.alloc(4 * Float64Array.BYTES_PER_ELEMENT)
  for (const [index, value] of [assumedFocalPx(width, height), width / 2, height / 2, 0].entries())
    params.writeDoubleLE(value, index * Float64Array.BYTES_PER_ELEMENT)
  // prior_focal_length 0: the value is a guess, and COLMAP must not hold on to it.
  const insert = database.prepare(
    'INSERT INTO cameras (model, width, height, params, prior_focal_length) VALUES (?, ?, ?, ?, 0)',
  )
  return insert.run(SIMPLE_RADIAL, width, height, params).lastRowid
}
