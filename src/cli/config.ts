/**
 * `grabber config check · print · schema · reload`. Runs as a command. Secrets never leave it: what is printed is redacted.
 */
import type { Command } from 'commander'
import { redact } from '../../config/redact.ts'
import { configJsonSchema } from '../../config/schema.ts'
import { writeYaml } from '../../config/yaml-file.ts'
import type { ConfigReport } from '../live-config.ts'
import { runInDaemon } from './ask-daemon.ts'
import { type CliContext, openConfig } from './context.ts'

export function registerConfig(program: Command, context: CliContext): void {
  const config = program.command('config').description('check and show the configuration')

  config
    .command('check')
    .description('report every problem of the configuration at once')
    .addHelpText('after', '\nExample:\n  grabber config check -c grabber.yaml')
    .action((_, command: Command) => {
      const { config, origin, shadowed } = openConfig(context, command)
      const cameras = Object.keys(config.cameras).length
      for (const id of shadowed) {
        context.stderr.write(`camera ${id} was added by command as well: this file counts\n`)
      }
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

  config
    .command('reload')
    .description('have the running grabber take the configuration as it is now; only what differs is touched')
    .option('--json', 'JSON')
    .addHelpText('after', '\nExample:\n  grabber config reload')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const report = (await runInDaemon(context, command, 'node.reload', {})) as ConfigReport
      context.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
    })
}

/** A line for each kind of change. */
function reportText({ changed, cameras, restartNeeded, shadowed }: ConfigReport): string {
  const line = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [`${what}: ${names.join(', ')}`])
  const lines = [
    ...line('changed', changed),
    ...line('cameras added', cameras.added),
    ...line('cameras removed', cameras.removed),
    ...line('cameras changed', cameras.restarted),
    ...line('in both files, the main one counts', shadowed),
    ...line('waits for a restart of grabber', restartNeeded),
  ]
  return lines.length === 0 ? 'nothing has changed\n' : `${lines.join('\n')}\n`
}
