/**
 * `--export alicevision`: alicevision/cameraInit.sfm, as Meshroom's CameraInit writes it: one view a keyframe, one camera a size,
 * no poses. Opened with `meshroom_batch --input alicevision/cameraInit.sfm`, in Meshroom, or by any aliceVision_* program.
 *
 * Format: AliceVision's sfmDataIO/jsonIO, version 1.2.7, the first in which the model of distortion stands apart from the model of the
 * camera; its tests keep files of every version readable. Readers before it take the camera without distortion.
 */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyframeRecord } from '../../../core/keyframe.ts'
import { named, writeResultFile } from '../result-file.ts'
import { assumedFocalPx } from './assumed-focal.ts'

/** Focal lengths are in millimetres of a sensor; of an unknown one the width of small picture film is assumed, as they do. */
const SENSOR_WIDTH_MM = 36

export interface SfmData {
  version: [number, number, number]
  views: SfmView[]
  intrinsics: SfmIntrinsic[]
}

export interface SfmView {
  viewId: number
  poseId: number
  intrinsicId: number
  path: string
  width: number
  height: number
  metadata: Record<string, string>
}

export interface SfmIntrinsic {
  intrinsicId: number
  width: number
  height: number
  sensorWidth: number
  sensorHeight: number
  serialNumber: string
  type: 'pinhole'
  initializationMode: 'unknown'
  /** mm; -1 leaves bundle adjustment free. */
  initialFocalLength: number
  focalLength: number
  pixelRatio: number
  pixelRatioLocked: boolean
  /** px from the centre of the picture. */
  principalPoint: [number, number]
  distortionType: 'radialk3'
  distortionInitializationMode: 'none'
  distortionParams: [number, number, number]
  undistortionType: 'none'
  undistortionOffset: [number, number]
  undistortionParams: never[]
  locked: boolean
}

/** Errors: STO_OUTPUT, STO_FULL. */
export async function exportAliceVision(
  folder: string,
  finalFolder: string,
  contentHash: string,
  keyframes: readonly KeyframeRecord[],
): Promise<void> {
  const target = join(folder, 'alicevision')
  await named(target, () => mkdir(target, { recursive: true }))
  // Paths are taken as they are, from wherever a program of theirs runs: whole ones it must be.
  const data = sfmData(join(finalFolder, 'images'), contentHash, keyframes)
  await writeResultFile(join(target, 'cameraInit.sfm'), `${JSON.stringify(data, null, 2)}\n`)
}

export function sfmData(imageDir: string, contentHash: string, keyframes: readonly KeyframeRecord[]): SfmData {
  const ids = new Identifiers()
  const cameras = new Map<string, SfmIntrinsic>()
  const views = keyframes.map(({ file, width, height }): SfmView => {
    const size = `${contentHash} ${width}x${height}`
    const camera = cameras.get(size) ?? intrinsic(ids.of(size), contentHash, width, height)
    cameras.set(size, camera)
    const viewId = ids.of(`${contentHash} ${file}`)
    const path = join(imageDir, file)
    return { viewId, poseId: viewId, intrinsicId: camera.intrinsicId, path, width, height, metadata: {} }
  })
  return { version: [1, 2, 7], views, intrinsics: [...cameras.values()] }
}

function intrinsic(intrinsicId: number, contentHash: string, width: number, height: number): SfmIntrinsic {
  return {
    ...{ intrinsicId, width, height },
    sensorWidth: SENSOR_WIDTH_MM,
    sensorHeight: (SENSOR_WIDTH_MM * height) / width,
    serialNumber: contentHash,
    type: 'pinhole',
    initializationMode: 'unknown',
    initialFocalLength: -1,
    focalLength: (SENSOR_WIDTH_MM * assumedFocalPx(width, height)) / width,
    ...{ pixelRatio: 1, pixelRatioLocked: true, principalPoint: [0, 0] },
    distortionType: 'radialk3',
    distortionInitializationMode: 'none',
    distortionParams: [0, 0, 0],
    ...{ undistortionType: 'none', undistortionOffset: [0, 0], undistortionParams: [], locked: false },
  }
}

/**
 * Numbers for names: the same name always has the same one, so that scenes of several recordings can be put together. 31 bits,
 * since Meshroom keeps them as signed; the rare second name of a number takes the next free one.
 */
class Identifiers {
  readonly #taken = new Set<number>()

  of(name: string): number {
    let id = createHash('sha256').update(name).digest().readUInt32BE() >>> 1
    while (this.#taken.has(id)) id = (id + 1) % 0x7fffffff
    this.#taken.add(id)
    return id
  }
}
