/** Extractions for tests: a real job and session hosts, its records and pictures in a folder that goes with the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineDirectory } from '../../../actors/engine-directory.ts'
import {
  ExtractJob,
  type ExtractOptions,
  type ExtractOutcome,
  type SelectionRecord,
} from '../../../actors/extract-job.ts'
import type { HostSettings } from '../../../actors/host-settings.ts'
import { configSchema } from '../../../config/schema.ts'
import { systemClock } from '../../../core/clock.ts'
import type { KeyframeRecord } from '../../../core/keyframe.ts'
import type { Checkpoint, FileSource, KeyframeSpec, SessionSpec } from '../../../core/wire/session-spec.ts'
import { hostSettings } from '../../../src/host-settings.ts'
import { extractionSpec } from '../../../src/keyframe-spec.ts'
import { RecordingLogger } from '../../unit/recording-logger.ts'

const config = configSchema.parse({})

export interface Extracted {
  records: SelectionRecord[]
  outcome: ExtractOutcome
  checkpoints: Checkpoint[]
}

export class ExtractionFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'grabber-extraction-'))
  readonly directory = new EngineDirectory()
  readonly host: HostSettings = { ...hostSettings(config, new RecordingLogger()), clock: systemClock }

  at(...names: string[]): string {
    return join(this.path, ...names)
  }

  /** Checkpoints wherever one is possible. */
  spec(clip: string, images: string, changes: Partial<KeyframeSpec> = {}): SessionSpec<FileSource> {
    const { keyframes } = config.defaults
    const parts = { name: 'cam', path: clip, epoch: 'test', featuresModel: null, tonemap: false }
    const spec = extractionSpec(config, { ...parts, keyframes, imagesDir: this.at(images) })
    return { ...spec, keyframes: { ...spec.keyframes!, checkpointMs: 0, ...changes } }
  }

  job(
    spec: SessionSpec<FileSource>,
    options: Partial<ExtractOptions> = {},
  ): { job: ExtractJob; done: Promise<Extracted> } {
    const records: SelectionRecord[] = []
    const checkpoints: Checkpoint[] = []
    const { onRecords, onCheckpoint, ...others } = options
    const job = new ExtractJob({
      ...{ name: 'test', spec, directory: this.directory, host: this.host, from: null, ...others },
      onRecords: (news) => {
        records.push(...news)
        onRecords?.(news)
      },
      onCheckpoint: (checkpoint, totals) => {
        checkpoints.push(checkpoint)
        onCheckpoint?.(checkpoint, totals)
      },
    })
    return { job, done: job.run().then((outcome) => ({ records, outcome, checkpoints })) }
  }

  extract(spec: SessionSpec<FileSource>, options: Partial<ExtractOptions> = {}): Promise<Extracted> {
    return this.job(spec, options).done
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export function keyframesOf(records: readonly SelectionRecord[]): KeyframeRecord[] {
  return records.filter((record): record is KeyframeRecord => record.chosen)
}
