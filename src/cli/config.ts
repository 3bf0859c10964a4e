/**
 * `grabber config check · print · schema`. Runs as a command. Secrets never leave it: what is printed is redacted.
 */
import type { Command } from 'commander'
import { redact } from '../../config/redact.ts'
import { configJsonSchema } from '../../config/schema.ts'
import { writeYaml } from '../../config/yaml-file.ts'
import { type CliContext, openConfig } from './context.ts'

export function registerConfig(program: Command, context: CliContext): void {
  const config = program.command('config').description('check and show the configuration')

  config
    .command('check')
    .description('report every problem of the configuration at once')
    .addHelpText('after', '\nExample:\n  grabber config check -c grabber.yaml')
    .action((_, command: Command) => {
      const { config, origin } = openConfig(context, command)
      const cameras = Object.keys(config.cameras).length
      const where = origin.file ?? 'no file, defaults only'
      context.stdout.write(`ok: ${where}: ${cameras} ${cameras === 1 ? 'camera' : 'cameras'}\n`)
    })

  config
    .command('print')
    .description('the effective configuration with its defaults, secrets hidden')
    .option('--json', 'JSON instead of YAML')
    .addHelpText('after', '\nExample:\n  grabber config print --json | jq .cameras')
    .action(({ json }: { json?: boolean }, command: Command) => {
      const { config } = openConfig(context, command)
      const shown = redact(config)
      context.stdout.write(json ? `${JSON.stringify(shown, null, 2)}\n` : writeYaml(shown))
    })

  config
    .command('schema')
    .description('JSON Schema of the configuration file, for editors')
    .addHelpText('after', '\nExample:\n  grabber config schema > grabber.schema.json')
    .action(() => {
      context.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
    })
}
