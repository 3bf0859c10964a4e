/**
 * `--export colmap`: a workspace that COLMAP goes on with. Beside `images/`:
 *
 *     colmap/database.db     cameras and images with their ids, for `feature_extractor` and all that follows
 *     colmap/pairs.txt       for `matches_importer`
 *     colmap/project.ini     for the graphical user interface: File, Open project
 *     colmap/reconstruct.sh  the three commands from here to a sparse model in colmap/sparse, which is where nerfstudio looks
 */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyframeRecord } from '../../../core/keyframe.ts'
import { named, writeResultFile } from '../result-file.ts'
import { writeColmapDatabase } from './colmap-database.ts'
import { matchPairs } from './match-pairs.ts'

/** Errors: STO_OUTPUT, STO_FULL, STO_UNUSABLE. */
export async function exportColmap(
  folder: string,
  finalFolder: string,
  keyframes: readonly KeyframeRecord[],
): Promise<void> {
  const target = join(folder, 'colmap')
  await named(target, () => mkdir(target, { recursive: true }))
  const database = join(target, 'database.db')
  await named(database, () => rm(database, { force: true }))
  const images = keyframes.map(({ file, width, height }) => ({ name: file, width, height }))
  await named(database, () => writeColmapDatabase(database, images))
  const pairs = matchPairs(keyframes).map(([a, b]) => `${keyframes[a]!.file} ${keyframes[b]!.file}\n`)
  await writeResultFile(join(target, 'pairs.txt'), pairs.join(''))
  await writeResultFile(join(target, 'project.ini'), projectFile(finalFolder))
  const script = join(target, 'reconstruct.sh')
  await writeResultFile(script, RECONSTRUCT)
  await named(script, () => chmod(script, 0o755))
}

/**
 * The interface resolves relative paths against wherever it was started, hence whole ones; what is not stated is COLMAP's default. Its
 * commands refuse options that are not their own, so they cannot share a file (tried with 3.8): reconstruct.sh gives them each theirs.
 */
function projectFile(finalFolder: string): string {
  const path = (...parts: string[]) => join(finalFolder, ...parts)
  return `database_path=${path('colmap', 'database.db')}\nimage_path=${path('images')}\n`
}

/** Finds its files by its own place, so that it works wherever the folder is moved. */
const RECONSTRUCT = `#!/bin/sh
# A sparse reconstruction of these keyframes: ./reconstruct.sh, with colmap on the PATH (or its name in COLMAP).
# USE_GPU=0 or 1 decides against what this COLMAP was built for. Arguments go to the mapper, such as
# --Mapper.init_min_tri_angle 4 for a camera that hardly moved. The models come to sparse/0, sparse/1 …
set -eu
cd "$(dirname "$0")"
colmap=\${COLMAP:-colmap}
# Without a display; nothing is shown.
export QT_QPA_PLATFORM="\${QT_QPA_PLATFORM:-offscreen}"
if "$colmap" help | grep -q 'without CUDA'; then gpu=\${USE_GPU:-0}; else gpu=\${USE_GPU:-1}; fi
# The switch has another name in newer versions.
if "$colmap" feature_extractor --help | grep -q 'FeatureExtraction.use_gpu'
then extraction=FeatureExtraction matching=FeatureMatching
else extraction=SiftExtraction matching=SiftMatching
fi
"$colmap" feature_extractor --database_path database.db --image_path ../images "--$extraction.use_gpu" "$gpu"
"$colmap" matches_importer --database_path database.db --match_list_path pairs.txt "--$matching.use_gpu" "$gpu"
mkdir -p sparse
"$colmap" mapper --database_path database.db --image_path ../images --output_path sparse "$@"
`
