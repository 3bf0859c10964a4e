/**
 * `grabber faces calibrate`: what the thresholds mean on one's own people. Runs as a command; reads the gallery beside its
 * owner, or labelled pictures through an engine of its own, and changes neither. Writes embeddings only to --export.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import type { CalibrationData } from '../calibration/calibration-data.ts'
import { htmlReport } from '../calibration/html-report.ts'
import { calibrate } from '../calibration/report.ts'
import { textReport } from '../calibration/text-report.ts'
import { embeddingDimension, facesSpec } from '../face-models.ts'
import { readGalleryEmbeddings } from '../store/calibration-data.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { lookAtFolders } from './labelled-folders.ts'
import { table } from './table.ts'

const DEFAULT_FMR = 0.001

interface CalibrateOptions {
  pictures?: string
  json?: boolean
  html?: string
  export?: string
  falseAcceptRate: string
}

export function registerFacesCalibrate(faces: Command, context: CliContext): void {
  faces
    .command('calibrate')
    .description('what the match threshold means on your own people: error rates, who is alike, how sure that is')
    .option('--pictures <folder>', 'of labelled pictures instead of the gallery: one sub-folder a person')
    .option('--false-accept-rate <rate>', 'find the threshold for this rate, above 0 and below 1', String(DEFAULT_FMR))
    .option('--json', 'one JSON object')
    .option('--html <file>', 'also as a page with plots, in one file')
    .option('--export <file>', 'also the embeddings, to compute it all again: biometric data, readable by you alone')
    .addHelpText('after', '\nExample:\n  grabber faces calibrate --html report.html')
    .action(async (options: CalibrateOptions, command: Command) => {
      const wantedFmr = Number(options.falseAcceptRate)
      if (!(wantedFmr > 0 && wantedFmr < 1)) throw usage('--false-accept-rate takes a number above 0 and below 1')
      const { config } = openConfig(context, command)
      const { embedder: model, matchThreshold: threshold } = facesSpec(config.defaults.faces)
      const data =
        options.pictures === undefined
          ? galleryData(config, model)
          : await lookAtFolders(context, config, options.pictures)
      if (options.export !== undefined) exportData(context, options.export, model, data)
      const report = calibrate(data, { model, threshold, wantedFmr })
      if (options.html !== undefined) write(context, options.html, htmlReport(report))
      context.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : textReport(report, table))
    })
}

/** Nobody is known when there is no data folder yet. STO_UNUSABLE, STO_VERSION. */
function galleryData(config: Config, model: string): CalibrationData {
  const path = join(config.data, 'grabber.db')
  if (!existsSync(path)) return { people: [], tracks: [] }
  return readGalleryEmbeddings(path, model, embeddingDimension(model))
}

/** The whole input, so that the report can be computed again; for its owner's eyes. Never over another file. */
function exportData(context: CliContext, file: string, model: string, { people, tracks }: CalibrationData): void {
  const plain = <T extends { embeddings: readonly Float32Array[] }>(item: T) => ({
    ...item,
    embeddings: item.embeddings.map((each) => [...each]),
  })
  const text = JSON.stringify({ model, people: people.map(plain), tracks: tracks.map(plain) })
  write(context, file, `${text}\n`, { mode: 0o600, flag: 'wx' })
  context.stderr.write(
    `${file} holds biometric data of ${people.length} people: keep it safe, and delete it after use\n`,
  )
}

function write(context: CliContext, file: string, text: string, options: { mode?: number; flag?: string } = {}): void {
  try {
    writeFileSync(resolve(context.cwd, file), text, options)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw usage(`${file} cannot be written (${code})`)
  }
}
