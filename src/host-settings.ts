/**
 * The settings that all child processes share, from the configuration. Runs in the daemon and in commands.
 */
import type { HostSettings } from '../actors/host-settings.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import type { Logger } from '../core/ports.ts'

export function hostSettings({ timeouts }: Config, logger: Logger): HostSettings {
  const { helloMs, silenceMs, stopMs, killMs } = timeouts
  return {
    sessionEntry: new URL('../streams/session-host.ts', import.meta.url),
    engineEntry: new URL('../models/engine-host.ts', import.meta.url),
    helloMs,
    silenceMs,
    stopMs,
    killMs,
    clock: systemClock,
    logger,
  }
}
