import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What measures, and what holds live streams to their time: one file at a time, after all others. So do new faults. */
const ALONE = ['test/integration/{live-keyframes,soak,test-servers}.test.ts', 'test/e2e/live-camera.test.ts']
/** Faults whose tests look at outcomes only: they may come late. */
const PATIENT_FAULTS =
  'test/fault/{clip,daemon,damaged-streams,engine-scenarios,engines,extract,publish,replay,second-pass}.test.ts'

/** For tests that start real processes; what they wait for comes late on a busy machine. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    // The many processes that tests start load in two thirds of the time; the same folder as in bin/grabber.
    env: { NODE_COMPILE_CACHE: resolve(import.meta.dirname, 'node_modules/.cache/compiled') },
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['test/unit/**/*.test.ts', 'test/architecture/**/*.test.ts'],
          testTimeout: 15_000,
          // Files share what they have loaded: a third of the CPU time was loading it 170 times. Nothing of the product has state in a module
          // but for what a whole process has once.
          isolate: false,
        },
      },
      {
        test: {
          name: 'together',
          sequence: { groupOrder: 1 },
          include: ['test/{contract,integration,e2e}/**/*.test.ts', PATIENT_FAULTS],
          exclude: ALONE,
          globalSetup: 'test/integration/support/standard-port.ts',
          ...patient,
          // They wait for processes and media as long as they work. On two cores a third would make all of them late.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 2 },
          include: ['test/fault/**/*.test.ts', ...ALONE],
          exclude: [PATIENT_FAULTS],
          ...patient,
          fileParallelism: false,
        },
      },
    ],
  },
})
