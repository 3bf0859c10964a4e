/**
 * What the extractions of one command have in common. Plain data and its owners; the command opens and closes them.
 */
import type { EngineDirectory } from '../../actors/engine-directory.ts'
import type { HostSettings } from '../../actors/host-settings.ts'
import type { Config } from '../../config/schema.ts'
import type { Logger } from '../../core/ports.ts'
import type { CopyOrder } from '../../core/wire/copies.ts'
import type { JobStore } from '../store/jobs.ts'
import type { ExtractSettings } from './extract-settings.ts'
import type { OutputRoot } from './output-root.ts'

export interface ExtractionTools {
  config: Config
  settings: ExtractSettings
  /** Of the settings. */
  fingerprint: string
  root: OutputRoot
  /** False does everything anew, what is finished and what was begun. */
  resume: boolean
  /** Whether another recording of the same command has the same stem. */
  isShared(path: string): boolean
  directory: EngineDirectory
  host: HostSettings
  jobs: JobStore
  /** Smaller copies of pictures, for exports that want them. */
  copyPictures(orders: readonly CopyOrder[]): Promise<void>
  logger: Logger
  /** Of the program. */
  version: string
}
