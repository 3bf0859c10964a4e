/**
 * What `extract`, `batch` and `watch` are told alike: options, and the settings that they mean. Runs in commands.
 */
import { type Command, Option } from 'commander'
import type { Config } from '../../config/schema.ts'
import { type KeyframeMode, keyframeModes } from '../../core/keyframe.ts'
import { featuresModelOf } from '../features-model.ts'
import type { ExtractSettings } from '../jobs/extract-settings.ts'
import { type ExportFormat, exportFormats } from '../results/extraction-result.ts'
import { usage } from './context.ts'

export interface ExtractFlags {
  out: string
  mode?: KeyframeMode
  format?: 'jpg' | 'png'
  export?: ExportFormat[]
  maxFrames?: string
  optimise?: true
  tonemap?: true
  json?: true
  resume: boolean
  parallel?: string
}

/** The options that all three take. */
export function withExtractOptions(command: Command): Command {
  const exports = `formats of other programs, separated by commas: ${exportFormats.join(', ')}`
  return command
    .requiredOption('--out <folder>', 'where the results go, a folder for each recording')
    .addOption(
      new Option('--mode <mode>', 'how much is looked at (default: that of the configuration)').choices(keyframeModes),
    )
    .addOption(
      new Option('--format <format>', 'of the pictures (default: that of the configuration)').choices(['jpg', 'png']),
    )
    .option('--max-frames <n>', 'at most so many keyframes, evenly in what they show')
    .option('--optimise', 'a second pass decides which keyframes a reconstruction needs (always in high_quality)')
    .option('--export <formats>', exports, exportList)
    .option('--tonemap', 'take HDR recordings, and map them to BT.709')
    .option('--parallel <n>', 'recordings at the same time (default: jobs.parallel)')
    .option('--no-resume', 'do all of it anew, what is finished as well')
    .option('--json', 'one JSON value a line for each recording, and one for all')
}

/** MDL_INVALID, MDL_MISSING: of a model of dense features that the configuration names. CFG_USAGE. */
export function extractSettings(config: Config, flags: ExtractFlags): ExtractSettings {
  const { mode = config.defaults.keyframes.mode, format = config.defaults.keyframes.format } = flags
  const keyframes = { ...config.defaults.keyframes, mode, format }
  return {
    keyframes,
    featuresModel: featuresModelOf(config, keyframes),
    maxFrames: flags.maxFrames === undefined ? null : wholeNumber('--max-frames', flags.maxFrames),
    optimise: flags.optimise === true || mode === 'high_quality',
    tonemap: flags.tonemap === true,
    exports: flags.export ?? [],
  }
}

/** A number from 1 on. */
export function wholeNumber(flag: string, text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value > 0)) throw usage(`${flag} takes a whole number from 1, not ${text}`)
  return value
}

function exportList(text: string, before: ExportFormat[] = []): ExportFormat[] {
  const formats = text.split(',').map((word) => {
    const format = exportFormats.find((one) => one === word.trim())
    if (!format) throw usage(`--export takes ${exportFormats.join(', ')}, not ${word.trim()}`)
    return format
  })
  return [...new Set([...before, ...formats])]
}
