/**
 * Sums vitest's JSON reports into the last line of script/test, `N passed, N failed`; exit status 1 when something failed.
 * Arguments: `STATUS:FILE`, the exit status of the command that wrote the report. Runs in the test script only.
 */
import { readFileSync } from 'node:fs'

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

const empty: Report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] }

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch (error) {
    process.stderr.write(`no test report in ${file}: ${error instanceof Error ? error.message : error}\n`)
    return empty
  }
}

let passed = 0
let failed = 0
let skipped = 0
for (const argument of process.argv.slice(2)) {
  const [, status, file] = /^(\d+):(.+)$/.exec(argument)!
  const report = readReport(file!)
  // A file that does not load has no tests to fail, and counts as one.
  const unloaded = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed'),
  ).length
  passed += report.numPassedTests
  skipped += report.numPendingTests
  // So does a step that failed beside its tests (format, types, an unhandled rejection).
  failed += Math.max(report.numFailedTests + unloaded, status === '0' ? 0 : 1)
}
if (skipped > 0)
  process.stdout.write(
    `${skipped} skipped: what they need is not here (test assets: GRABBER_ASSETS), or they do not apply\n`,
  )
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
